struct words2 { u64 w[2]; };

enum { XTRACE_EVENTS, XTRACE_STACKS, XTRACE_LOOPS, XTRACE_MEMORY, XTRACE_MAPS };

BPF_PERF_OUTPUT(x_events);
BPF_TABLE("percpu_array", u32, u64, x_losses, 6);
BPF_TABLE("array", u32, u64, x_gate, 2);
BPF_TABLE("percpu_hash", struct words2, u64, m0_calls, 4096); /* @calls */
BPF_TABLE("percpu_hash", u64, u64, m1_ids, 66); /* @ids */

static __always_inline void x_lost(u32 slot) {
    u64 *count = x_losses.lookup(&slot);
    if (count) __sync_fetch_and_add(count, 1);
}

static __always_inline u64 x_now(void) {
    return bpf_ktime_get_ns() + XTRACE_BOOT_OFFSET;
}

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

static __always_inline u64 x_ctx_u64(void *ctx, u32 offset) { return *(volatile u64 *)(ctx + offset); }

static __always_inline void m0_calls_feed(struct words2 *key, u64 value) {
    u64 *slot = m0_calls.lookup(key);
    if (!slot) {
        u64 fresh = { 0 };
        m0_calls.insert(key, &fresh);
        slot = m0_calls.lookup(key);
        if (!slot) {
            x_lost(XTRACE_MAPS + 0);
            return;
        }
    }
    __sync_fetch_and_add(slot, value);
}

static __always_inline void m1_ids_feed(u64 *key, u64 value) {
    u64 *slot = m1_ids.lookup(key);
    if (!slot) {
        u64 fresh = { 0 };
        m1_ids.insert(key, &fresh);
        slot = m1_ids.lookup(key);
        if (!slot) {
            x_lost(XTRACE_MAPS + 1);
            return;
        }
    }
    __sync_fetch_and_add(slot, value);
}

/* begin */
int h0(void *ctx) {
    u64 r1[11];
    if (!x_armed(1)) return 0;
    if (x_exited()) return 0;
    {
        r1[0] = 0;
        r1[1] = x_now();
        (r1 + 2)[0] = 7ULL;
        (r1 + 3)[0] = 0x73277469ULL;
        (r1 + 3)[1] = 0;
        (r1 + 3)[2] = 0;
        (r1 + 3)[3] = 0;
        (r1 + 3)[4] = 0;
        (r1 + 3)[5] = 0;
        (r1 + 3)[6] = 0;
        (r1 + 3)[7] = 0;
        if (x_events.perf_submit(ctx, r1, 88)) x_lost(XTRACE_EVENTS);
    }
done:
    return 0;
}

/* tracepoint:raw_syscalls:sys_enter */
int h1(void *ctx) {
    u64 k1[2];
    u64 k2[1];
    if (x_exited()) return 0;
    u64 c8 = x_ctx_u64(ctx, 8); /* id */
    {
        k1[0] = 0;
        k1[1] = 0;
        bpf_get_current_comm(k1, 16);
        m0_calls_feed((struct words2 *)k1, 1ULL);
    }
    {
        k2[0] = x_log2(c8, 0);
        m1_ids_feed(k2, 1);
    }
done:
    return 0;
}

/* interval:s:1 */
int h2(void *ctx) {
    u64 r1[2];
    u64 r2[2];
    if (x_exited()) return 0;
    {
        r1[0] = 1;
        r1[1] = x_now();
        if (x_events.perf_submit(ctx, r1, 16)) x_lost(XTRACE_EVENTS);
    }
    {
        r2[0] = 2;
        r2[1] = x_now();
        if (x_events.perf_submit(ctx, r2, 16)) x_lost(XTRACE_EVENTS);
    }
done:
    return 0;
}

/* end */
int h3(void *ctx) {
    u64 r1[3];
    if (!x_armed(4)) return 0;
    if (x_exited()) return 0;
    x_exit();
    {
        r1[0] = 3;
        r1[1] = x_now();
        (r1 + 2)[0] = 2ULL;
        if (x_events.perf_submit(ctx, r1, 24)) x_lost(XTRACE_EVENTS);
    }
    goto done;
done:
    return 0;
}

