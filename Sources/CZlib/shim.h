#pragma once
#include <zlib.h>

// deflateInit2 and inflateInit2 are macros that add zlib's version and the size of its stream.

/// A gzip stream: 16 over the usual 15 bits of window says so.
static inline int martlet_gzip_begin(z_streamp stream, int level)
{
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

static inline int martlet_inflate_begin(z_streamp stream, int window_bits)
{
    return inflateInit2(stream, window_bits);
}
