#pragma once
#include <stddef.h>

// The built web app as one run of bytes: WebApp's Pack reads it. Pointer and length, because Swift would take an array
// with its size for a tuple of that many members.
const unsigned char *martlet_webapp_bytes(void);

/// Zero where the web app was not built before this was compiled.
size_t martlet_webapp_length(void);
