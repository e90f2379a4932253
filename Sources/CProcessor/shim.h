#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// CRC-32C by the processor's own instruction, eight bytes at a time: about ten times as fast as the eight tables.

#if defined(__x86_64__)

static inline int martlet_has_crc32c(void) { return __builtin_cpu_supports("sse4.2"); }

__attribute__((target("sse4.2"))) static inline uint32_t martlet_crc32c(
    uint32_t crc, const void *bytes, size_t count)
{
    const unsigned char *at = (const unsigned char *)bytes;
    uint64_t wide = crc;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; count > 0; at++, count--) crc = __builtin_ia32_crc32qi(crc, *at);
    return crc;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

static inline int martlet_has_crc32c(void) { return (getauxval(AT_HWCAP) & (1 << 7)) != 0; }

__attribute__((target("crc"))) static inline uint32_t martlet_crc32c(
    uint32_t crc, const void *bytes, size_t count)
{
    const unsigned char *at = (const unsigned char *)bytes;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        crc = __builtin_arm_crc32cd(crc, word);
    }
    for (; count > 0; at++, count--) crc = __builtin_arm_crc32cb(crc, *at);
    return crc;
}

#else

static inline int martlet_has_crc32c(void) { return 0; }

static inline uint32_t martlet_crc32c(uint32_t crc, const void *bytes, size_t count) { return crc; }

#endif
