struct words2 { u64 w[2]; };
struct words3 { u64 w[3]; };

enum { XTRACE_EVENTS, XTRACE_STACKS, XTRACE_LOOPS, XTRACE_MEMORY, XTRACE_MAPS };

BPF_PERF_OUTPUT(x_events);
BPF_TABLE("percpu_array", u32, u64, x_losses, 7);
BPF_TABLE("array", u32, u64, x_gate, 2);
BPF_TABLE("stacktrace", int, struct bpf_stacktrace, x_stacks, 8192);
BPF_TABLE("hash", u64, u64, m0_start, 4096); /* @start */
BPF_TABLE("percpu_hash", struct words3, u64, m1_ns, 32768); /* @ns */
BPF_TABLE("percpu_hash", u64, struct words2, m2_by, 4096); /* @by */

static __always_inline void x_lost(u32 slot) {
    u64 *count = x_losses.lookup(&slot);
    if (count) __sync_fetch_and_add(count, 1);
}

static __always_inline u64 x_now(void) {
    return bpf_ktime_get_ns() + XTRACE_BOOT_OFFSET;
}

static __always_inline int x_in_scope(void) {
    if ((bpf_get_current_pid_tgid() >> 32) != 4242) return 0;
    return 1;
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

/* A stack's number. A full table, and another stack in its place, are losses. */
static __always_inline u64 x_stack(void *ctx, u64 flags) {
    s64 id = x_stacks.get_stackid(ctx, flags);
    if (id == -17 || id == -12) x_lost(XTRACE_STACKS);
    return (u64)id;
}

static __always_inline void m1_ns_feed(struct words3 *key, u64 value) {
    u64 *slot = m1_ns.lookup(key);
    if (!slot) {
        u64 fresh = { 0 };
        m1_ns.insert(key, &fresh);
        slot = m1_ns.lookup(key);
        if (!slot) {
            x_lost(XTRACE_MAPS + 1);
            return;
        }
    }
    __sync_fetch_and_add(slot, value);
}

static __always_inline void m2_by_feed(u64 *key, u64 value) {
    struct words2 *slot = m2_by.lookup(key);
    if (!slot) {
        struct words2 fresh = { 0 };
        m2_by.insert(key, &fresh);
        slot = m2_by.lookup(key);
        if (!slot) {
            x_lost(XTRACE_MAPS + 2);
            return;
        }
    }
    __sync_fetch_and_add(&slot->w[0], 1);
    __sync_fetch_and_add(&slot->w[1], value);
}

/* kprobe:vfs_read */
int h0(void *ctx) {
    u64 v1[1];
    u64 k2[1];
    if (!x_in_scope()) return 0;
    {
        v1[0] = x_now();
        k2[0] = (bpf_get_current_pid_tgid() & 0xffffffff);
        if (m0_start.update(k2, v1)) x_lost(XTRACE_MAPS + 0);
    }
done:
    return 0;
}

/* kretprobe:vfs_read */
int h1(void *ctx) {
    u64 k2[1];
    u64 k4[1];
    u64 k5[3];
    u64 k7[1];
    u64 k8[1];
    u64 k9[1];
    if (!x_in_scope()) return 0;
    u64 t1 = 0;
    {
        k2[0] = (bpf_get_current_pid_tgid() & 0xffffffff);
        u64 *p = m0_start.lookup(k2);
        if (p) t1 = *p;
    }
    if (!((u64)(t1 != 0ULL))) goto done;
    u64 t3 = 0;
    {
        k4[0] = (bpf_get_current_pid_tgid() & 0xffffffff);
        u64 *p = m0_start.lookup(k4);
        if (p) t3 = *p;
    }
    {
        k5[0] = 0;
        k5[1] = 0;
        bpf_get_current_comm(k5, 16);
        k5[2] = x_log2((x_now() - t3), 0);
        m1_ns_feed((struct words3 *)k5, 1);
    }
    u64 t6 = 0;
    {
        k7[0] = (bpf_get_current_pid_tgid() & 0xffffffff);
        u64 *p = m0_start.lookup(k7);
        if (p) t6 = *p;
    }
    {
        k8[0] = x_stack(ctx, 0);
        m2_by_feed(k8, (x_now() - t6));
    }
    {
        k9[0] = (bpf_get_current_pid_tgid() & 0xffffffff);
        m0_start.delete(k9);
    }
done:
    return 0;
}

