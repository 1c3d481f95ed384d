
enum { XTRACE_EVENTS, XTRACE_STACKS, XTRACE_LOOPS, XTRACE_MEMORY, XTRACE_MAPS };

BPF_PERF_OUTPUT(x_events);
BPF_TABLE("percpu_array", u32, u64, x_losses, 5);
BPF_TABLE("array", u32, u64, x_gate, 2);
BPF_TABLE("hash", u64, u64, m0_path, 4096); /* @path */

static __always_inline void x_lost(u32 slot) {
    u64 *count = x_losses.lookup(&slot);
    if (count) __sync_fetch_and_add(count, 1);
}

static __always_inline u64 x_now(void) {
    return bpf_ktime_get_boot_ns();
}

static __always_inline u64 x_ctx_u64(void *ctx, u32 offset) { return *(volatile u64 *)(ctx + offset); }

static __always_inline void x_user_string(void *to, u32 size, u64 address) {
    bpf_probe_read_user_str(to, size, (void *)address);
}

/* tracepoint:syscalls:sys_enter_openat */
int h0(void *ctx) {
    u64 t1[2];
    u64 v2[1];
    u64 k3[1];
    u64 c24 = x_ctx_u64(ctx, 24); /* filename */
    t1[0] = 0;
    t1[1] = 0;
    bpf_get_current_comm(t1, 16);
    if (!((u64)(((t1[0] ^ 0x6873ULL)) != 0))) goto done;
    {
        v2[0] = c24;
        k3[0] = (bpf_get_current_pid_tgid() & 0xffffffff);
        if (m0_path.update(k3, v2)) x_lost(XTRACE_MAPS + 0);
    }
done:
    return 0;
}

/* tracepoint:syscalls:sys_exit_openat */
int h1(void *ctx) {
    u64 k2[1];
    u64 r3[14];
    u64 k5[1];
    u64 k6[1];
    u64 c16 = x_ctx_u64(ctx, 16); /* ret */
    u64 t1 = 0;
    {
        k2[0] = (bpf_get_current_pid_tgid() & 0xffffffff);
        t1 = m0_path.lookup(k2) != 0;
    }
    if (!t1) goto done;
    {
        r3[0] = 0;
        r3[1] = x_now();
        (r3 + 2)[0] = (bpf_get_current_pid_tgid() >> 32);
        (r3 + 3)[0] = 0;
        (r3 + 3)[1] = 0;
        bpf_get_current_comm((r3 + 3), 16);
        u64 t4 = 0;
        {
            k5[0] = (bpf_get_current_pid_tgid() & 0xffffffff);
            u64 *p = m0_path.lookup(k5);
            if (p) t4 = *p;
        }
        __builtin_memset((r3 + 5), 0, 64);
        x_user_string((r3 + 5), 64, t4);
        (r3 + 13)[0] = c16;
        if (x_events.perf_submit(ctx, r3, 112)) x_lost(XTRACE_EVENTS);
    }
    {
        k6[0] = (bpf_get_current_pid_tgid() & 0xffffffff);
        m0_path.delete(k6);
    }
done:
    return 0;
}

