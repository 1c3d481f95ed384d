/* BCC notes the version in each program; kernels before 5.0 check it. The worker defines XTRACE_LINUX_VERSION. */
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))
#define LINUX_VERSION_CODE XTRACE_LINUX_VERSION
