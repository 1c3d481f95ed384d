/* Stands in for the part of BCC's helpers.h that programs use, so that a compiler can check a program's syntax. */
#include <linux/types.h>
#include <linux/version.h>
struct bpf_stacktrace { u64 ip[127]; };
#define BPF_TABLE(kind, key_type, leaf_type, name, size)                                          \
    static struct name##_table {                                                                  \
        leaf_type *(*lookup)(key_type *);                                                         \
        int (*update)(key_type *, leaf_type *);                                                   \
        int (*insert)(key_type *, leaf_type *);                                                   \
        int (*delete)(key_type *);                                                                \
        int (*get_stackid)(void *, u64);                                                          \
    } name
#define BPF_PERF_OUTPUT(name) static struct { int (*perf_submit)(void *, void *, u32); } name
#define BPF_CGROUP_ARRAY(name, size) static struct { int (*check_current_task)(int); } name
u64 bpf_ktime_get_ns(void), bpf_ktime_get_boot_ns(void), bpf_get_current_pid_tgid(void), bpf_get_current_uid_gid(void);
u64 bpf_get_current_task(void), bpf_get_current_cgroup_id(void), bpf_jiffies64(void);
u32 bpf_get_smp_processor_id(void), bpf_get_prandom_u32(void);
int bpf_get_current_comm(void *, u32);
int bpf_probe_read_kernel(void *, u32, const void *), bpf_probe_read_user(void *, u32, const void *);
int bpf_probe_read_kernel_str(void *, u32, const void *), bpf_probe_read_user_str(void *, u32, const void *);
