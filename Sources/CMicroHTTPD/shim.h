#pragma once
#include <microhttpd.h>
#include <string.h>
#include <stdint.h>

// Readiness and wake-ups for the sockets that are not MHD's, which Swift's Glibc module leaves out.
#include <sys/ioctl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// Swift sees neither variadic functions nor macros with casts; each inline function below is one of those.

/// MHD_start_daemon takes its options as varargs; here they come as one array that ends with MHD_OPTION_END.
static inline struct MHD_Daemon *martlet_mhd_start(
    unsigned int flags, MHD_AccessHandlerCallback handler, void *context, struct MHD_OptionItem *options)
{
    return MHD_start_daemon(flags, 0, NULL, NULL, handler, context, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

/// An answer without chunks: one whose length nobody knows then ends with its connection.
static inline void martlet_mhd_without_chunks(struct MHD_Response *response)
{
    MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
}

static inline struct MHD_OptionItem martlet_mhd_number(enum MHD_OPTION option, intptr_t value)
{
    struct MHD_OptionItem item = {option, value, NULL};
    return item;
}

static inline struct MHD_OptionItem martlet_mhd_text(enum MHD_OPTION option, const char *text)
{
    struct MHD_OptionItem item = {option, 0, (void *)text};
    return item;
}

// A callback option carries the function in `value`, an integer, which Swift cannot cast to.
static inline struct MHD_OptionItem martlet_mhd_on_uri(
    void *(*callback)(void *, const char *, struct MHD_Connection *), void *context)
{
    struct MHD_OptionItem item = {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)callback, context};
    return item;
}

// MHD keeps a record of its own for each item of a query, in the little memory that a request's head may take, and gives
// up the connection without a word where that is full: a thousand short items are enough. We read the query from the
// raw target, so once that is copied the items are joined in place (the text is MHD's own buffer) and MHD sees one.
static inline void martlet_mhd_join_query(const char *uri)
{
    for (char *at = strchr(uri, '?'); at != NULL && *at != 0; at++) {
        if (*at == '&') *at = ' ';
    }
}

static inline struct MHD_OptionItem martlet_mhd_on_completed(MHD_RequestCompletedCallback callback, void *context)
{
    struct MHD_OptionItem item = {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)callback, context};
    return item;
}

static inline struct MHD_OptionItem martlet_mhd_on_connection(MHD_NotifyConnectionCallback callback, void *context)
{
    struct MHD_OptionItem item = {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)callback, context};
    return item;
}

/// Leaves what MHD calls the URL as it came: routes use the raw target, so decoding it would be wasted.
static inline struct MHD_OptionItem martlet_mhd_on_unescape(
    size_t (*callback)(void *, struct MHD_Connection *, char *), void *context)
{
    struct MHD_OptionItem item = {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)callback, context};
    return item;
}

static inline void *martlet_mhd_socket_context(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static inline int martlet_mhd_descriptor(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/// GnuTLS's session of a connection, or nothing where it is plain.
static inline void *martlet_mhd_tls_session(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? info->tls_session : NULL;
}

static inline const struct sockaddr *martlet_mhd_peer(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

static inline enum MHD_Result martlet_mhd_close_upgraded(struct MHD_UpgradeResponseHandle *handle)
{
    return MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

// GNU's additions to POSIX, which Swift's Glibc module does not declare.
int accept4(int, struct sockaddr *, socklen_t *, int);
long syscall(long, ...);

static inline int martlet_accept(int listening, struct sockaddr *address, socklen_t *length)
{
    return accept4(listening, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static inline void martlet_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/// Cores that this process may use, by the kernel's mask; a container often has fewer than the machine.
static inline int martlet_cores(void)
{
    unsigned char mask[1024];
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    int count = 0;
    for (long i = 0; i < bytes; i++) count += __builtin_popcount(mask[i]);
    return count > 0 ? count : 1;
}

/// Bytes that have come and that nobody has read yet.
static inline int martlet_unread(int descriptor)
{
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : 0;
}

/// POLLRDHUP: the peer has closed its sending side.
static inline short martlet_poll_peer_closed(void) { return 0x2000; }

// Enums whose values Swift sees only as distinct types.
static inline int martlet_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline int martlet_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline uint64_t martlet_mhd_size_unknown(void) { return MHD_SIZE_UNKNOWN; }
static inline ssize_t martlet_mhd_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t martlet_mhd_end_with_error(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }
