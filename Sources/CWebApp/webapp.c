// The compiler takes the built web app in by itself (#embed of C23), in no time; Swift literals of that size take
// minutes. web/build makes the file, and touches this one so that the next build sees it.
#pragma clang diagnostic ignored "-Wc23-extensions"
#include "webapp.h"

#if __has_embed("../../.build/web/app.pack")
static const unsigned char pack[] = {
#embed "../../.build/web/app.pack"
};
const unsigned char *martlet_webapp_bytes(void) { return pack; }
size_t martlet_webapp_length(void) { return sizeof pack; }
#else
const unsigned char *martlet_webapp_bytes(void) { return (const unsigned char *)""; }
size_t martlet_webapp_length(void) { return 0; }
#endif
