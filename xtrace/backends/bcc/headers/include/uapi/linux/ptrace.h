/* Registers are read from the context at numeric offsets; only the name is needed. */
struct pt_regs;
