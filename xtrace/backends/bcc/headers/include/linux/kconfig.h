/* The one option that BCC refuses to go without. */
#define CONFIG_BPF_SYSCALL 1
