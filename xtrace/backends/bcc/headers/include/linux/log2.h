/* BCC sizes stack tables with this; `n` is a constant above 1. */
#define roundup_pow_of_two(n) (1UL << (64 - __builtin_clzl((n) - 1)))
