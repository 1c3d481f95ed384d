"""Small C programs that cases build in the guest, to have functions and USDT probes of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

WORK = """
#include <stdio.h>
#include <string.h>

__attribute__((noinline)) long work(long number, const char *text)
{
    __asm__ volatile("" ::: "memory");
    return number * 3 + (long)strlen(text);
}

static __attribute__((noinline)) long inner(long number) { return work(number, "text") + 1; }
__attribute__((noinline)) long outer(long number) { return inner(number) + 1; }

int main(int argc, char **argv)
{
    int count;
    while (scanf("%d", &count) == 1) {
        for (int i = 0; i < count; i++)
            outer(i);
        puts("done");
        fflush(stdout);
    }
    return 0;
}
"""
"""For each number on standard input: that many calls of work(i, "text") by inner() by outer(), then `done`."""

TICKS = """
#include <stdio.h>

__attribute__((section(".probes"))) volatile unsigned short lab_tick_semaphore;

#define TICK(number, text)                                                      \\
    __asm__ volatile("990: nop\\n"                                              \\
        ".pushsection .note.stapsdt,\\"?\\",\\"note\\"\\n"                      \\
        ".balign 4\\n.4byte 992f-991f, 994f-993f, 3\\n"                         \\
        "991: .asciz \\"stapsdt\\"\\n992: .balign 4\\n"                         \\
        "993: .8byte 990b, 0, lab_tick_semaphore\\n"                            \\
        ".asciz \\"lab\\"\\n.asciz \\"tick\\"\\n.asciz \\"-4@%0 8@%1\\"\\n"     \\
        "994: .balign 4\\n.popsection\\n" :: "r"(number), "r"(text))

int main(int argc, char **argv)
{
    static char text[32];
    int count;
    while (scanf("%d", &count) == 1) {
        int fired = 0;
        for (int i = 0; i < count; i++) {
            if (lab_tick_semaphore) {
                snprintf(text, sizeof text, "tick %d", i);
                TICK(i - 3, (const char *)text);
                fired++;
            }
        }
        printf("fired %d semaphore %d\\n", fired, lab_tick_semaphore);
        fflush(stdout);
    }
    return 0;
}
"""
"""For each number on standard input: that many USDT probes lab:tick, with i - 3 and "tick <i>", if its semaphore says
that somebody listens; then `fired <n> semaphore <value>`."""


SPEAK = """
__attribute__((noinline)) long say(const char *text, const unsigned char *bytes, const char **words, long number)
{
    __asm__ volatile("" ::: "memory");
    return number + text[0] + bytes[0] + words[0][0];
}

int main(void)
{
    static const unsigned char bytes[] = {1, 0, 'a', 255, '\\\\', 6, 7, 8};
    static const char *words[16] = {"ls", "-l", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"};
    static const char *texts[] = {"hello", "h\\303\\251 \\"\\\\\\t"};
    volatile long sum = bytes[0];
    /* What was never touched is not in memory yet, and cannot be read by any tracer. */
    for (int i = 0; i < 16; i++)
        sum += words[i][0] + texts[i % 2][0];
    return say(texts[0], bytes, words, 0) + say(texts[1], bytes, words, -1) == 0;
}
"""
"""Two calls of say(), with text, bytes, words and a number to show."""


def build(source: str, path: str, *options: str) -> str:
    """Compile a program to *path*, which is returned."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    words = ["gcc", "-x", "c", "-O1", "-no-pie", "-fno-omit-frame-pointer", *options, "-o", path, "-"]
    done = subprocess.run(words, input=source, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return path


class Running:
    """A program that was built here, as it waits for numbers."""

    def __init__(self, path: str, *words: str) -> None:
        self.process = subprocess.Popen([path, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid

    def run(self, count: int) -> str:
        """Give it one number; return what it says."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        """Let it end by itself."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
