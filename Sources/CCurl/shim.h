#pragma once
#include <curl/curl.h>

// curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call: one inline function for each kind of
// argument that is used.

static inline CURLcode martlet_curl_set_number(CURL *curl, CURLoption option, long value)
{
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode martlet_curl_set_size(CURL *curl, CURLoption option, curl_off_t value)
{
    return curl_easy_setopt(curl, option, value);
}

// libcurl copies strings.
static inline CURLcode martlet_curl_set_text(CURL *curl, CURLoption option, const char *text)
{
    return curl_easy_setopt(curl, option, text);
}

static inline CURLcode martlet_curl_set_pointer(CURL *curl, CURLoption option, void *pointer)
{
    return curl_easy_setopt(curl, option, pointer);
}

static inline CURLcode martlet_curl_set_transfer(
    CURL *curl, CURLoption option, size_t (*callback)(char *, size_t, size_t, void *))
{
    return curl_easy_setopt(curl, option, callback);
}

static inline CURLcode martlet_curl_set_progress(
    CURL *curl, int (*callback)(void *, curl_off_t, curl_off_t, curl_off_t, curl_off_t))
{
    return curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, callback);
}

static inline long martlet_curl_status(CURL *curl)
{
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}
