/* Functions that programs use, one per paragraph; a program gets those that it needs. */

/* A program runs once when the worker has armed it with the program's number. */
static __always_inline int x_armed(u64 program) {
    u32 slot = 1;
    u64 *armed = x_gate.lookup(&slot);
    if (!armed || *armed != program) return 0;
    *armed = 0;
    return 1;
}

/* After exit() nothing happens any more until the worker runs the end. */
static __always_inline int x_exited(void) {
    u32 slot = 0;
    u64 *exited = x_gate.lookup(&slot);
    return exited && *exited;
}

static __always_inline void x_exit(void) {
    u32 slot = 0;
    u64 *exited = x_gate.lookup(&slot);
    if (exited) *exited = 1;
}

/* Division truncates and gives 0 for a divisor of 0. BPF divides unsigned numbers only (before cpu v4). */
static __always_inline u64 x_udiv(u64 a, u64 b) { return b ? a / b : 0; }

static __always_inline u64 x_umod(u64 a, u64 b) { return b ? a % b : 0; }

static __always_inline u64 x_magnitude(u64 a) { return (s64)a < 0 ? -a : a; }

static __always_inline u64 x_sdiv(u64 a, u64 b) {
    u64 quotient = x_udiv(x_magnitude(a), x_magnitude(b));
    return (s64)(a ^ b) < 0 ? -quotient : quotient;
}

static __always_inline u64 x_smod(u64 a, u64 b) {
    u64 rest = x_umod(x_magnitude(a), x_magnitude(b));
    return (s64)a < 0 ? -rest : rest;
}

/* The position of the highest bit that is set; `a` is not 0. */
static __always_inline u64 x_highest(u64 a) {
    u64 bit = 0;
    if (a >> 32) { a >>= 32; bit += 32; }
    if (a >> 16) { a >>= 16; bit += 16; }
    if (a >> 8) { a >>= 8; bit += 8; }
    if (a >> 4) { a >>= 4; bit += 4; }
    if (a >> 2) { a >>= 2; bit += 2; }
    return bit + (a >> 1);
}

/* Histogram buckets: 0 for negative values, one per number below 2**bits, then 2**bits per power of two. */
static __always_inline u64 x_log2(u64 a, u64 bits) {
    u64 power;
    if ((s64)a < 0) return 0;
    if (!(a >> bits)) return a + 1;
    power = x_highest(a) - bits;
    return ((power + 1) << bits | ((a >> power) & ((1ULL << bits) - 1))) + 1;
}

/* 0 below `low`, one per step, the last for `high` and above. */
static __always_inline u64 x_linear(u64 a, s64 low, s64 high, s64 step) {
    if ((s64)a < low) return 0;
    if ((s64)a >= high) return (u64)(high - low) / step + 1;
    return (a - low) / step + 1;
}

/* End a string that was cut at `words`. */
static __always_inline void x_end(u64 *text, u32 words) { ((u8 *)text)[words * 8 - 1] = 0; }

static __always_inline u64 x_ctx_u8(void *ctx, u32 offset) { return *(volatile u8 *)(ctx + offset); }

static __always_inline u64 x_ctx_u16(void *ctx, u32 offset) { return *(volatile u16 *)(ctx + offset); }

static __always_inline u64 x_ctx_u32(void *ctx, u32 offset) { return *(volatile u32 *)(ctx + offset); }

static __always_inline u64 x_ctx_u64(void *ctx, u32 offset) { return *(volatile u64 *)(ctx + offset); }

static __always_inline u64 x_kernel_u8(u64 address) {
    u8 value = 0;
    bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
    return value;
}

static __always_inline u64 x_kernel_u16(u64 address) {
    u16 value = 0;
    bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
    return value;
}

static __always_inline u64 x_kernel_u32(u64 address) {
    u32 value = 0;
    bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
    return value;
}

static __always_inline u64 x_kernel_u64(u64 address) {
    u64 value = 0;
    bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
    return value;
}

static __always_inline u64 x_user_u8(u64 address) {
    u8 value = 0;
    bpf_probe_read_user(&value, sizeof(value), (void *)address);
    return value;
}

static __always_inline u64 x_user_u16(u64 address) {
    u16 value = 0;
    bpf_probe_read_user(&value, sizeof(value), (void *)address);
    return value;
}

static __always_inline u64 x_user_u32(u64 address) {
    u32 value = 0;
    bpf_probe_read_user(&value, sizeof(value), (void *)address);
    return value;
}

static __always_inline u64 x_user_u64(u64 address) {
    u64 value = 0;
    bpf_probe_read_user(&value, sizeof(value), (void *)address);
    return value;
}

static __always_inline u64 x_auto_u8(u64 address) {
    return (s64)address < 0 ? x_kernel_u8(address) : x_user_u8(address);
}

static __always_inline u64 x_auto_u16(u64 address) {
    return (s64)address < 0 ? x_kernel_u16(address) : x_user_u16(address);
}

static __always_inline u64 x_auto_u32(u64 address) {
    return (s64)address < 0 ? x_kernel_u32(address) : x_user_u32(address);
}

static __always_inline u64 x_auto_u64(u64 address) {
    return (s64)address < 0 ? x_kernel_u64(address) : x_user_u64(address);
}

static __always_inline void x_kernel_string(void *to, u32 size, u64 address) {
    bpf_probe_read_kernel_str(to, size, (void *)address);
}

static __always_inline void x_user_string(void *to, u32 size, u64 address) {
    bpf_probe_read_user_str(to, size, (void *)address);
}

static __always_inline void x_auto_string(void *to, u32 size, u64 address) {
    if ((s64)address < 0) x_kernel_string(to, size, address);
    else x_user_string(to, size, address);
}

/* The bytes of a text before its NUL; the reader counts while it copies. */
static __always_inline u64 x_length(void *copy, u32 size, void *text) {
    s64 copied = bpf_probe_read_kernel_str(copy, size, text);
    return copied > 0 ? copied - 1 : 0;
}

static __always_inline void x_kernel_bytes(void *to, u32 size, u64 address) {
    bpf_probe_read_kernel(to, size, (void *)address);
}

static __always_inline void x_user_bytes(void *to, u32 size, u64 address) {
    bpf_probe_read_user(to, size, (void *)address);
}

static __always_inline void x_auto_bytes(void *to, u32 size, u64 address) {
    if ((s64)address < 0) x_kernel_bytes(to, size, address);
    else x_user_bytes(to, size, address);
}

static __always_inline void x_copy(void *to, void *from, u32 size) { bpf_probe_read_kernel(to, size, from); }

/* A stack's number. A full table, and another stack in its place, are losses. */
static __always_inline u64 x_stack(void *ctx, u64 flags) {
    s64 id = x_stacks.get_stackid(ctx, flags);
    if (id == -17 || id == -12) x_lost(XTRACE_STACKS);
    return (u64)id;
}
