/* serve: runs the daemon in the foreground, as systemd and containers want it. SIGTERM and SIGINT
 * drain and end it (a second one ends it at once), SIGHUP reads the configuration again. Thread:
 * the main one, which only waits for signals; all others have them blocked. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/options.h"

static const char usage[] = "serve [--config FILE] [--set KEY=VALUE]...";

static void log_level_load(const struct config *c)
{
    static const char *const name[] = {"debug", "info", "warn", "error"};
    for (size_t i = 0; i < 4; i++)
        if (!strcmp(config_get(c, CONFIG_LOG_LEVEL), name[i]))
            log_level_set((enum log_level)i);
}

static bool key_is_reloaded(enum config_key key)
{
    switch (key) {
    case CONFIG_LOG_LEVEL:
    case CONFIG_HTTP_CLIENT_ALLOW:
    case CONFIG_SIP_ALLOW:
    case CONFIG_HTTP_RATE_PER_SEC:
    case CONFIG_HTTP_CONNECTIONS_PER_ADDRESS:
    case CONFIG_HTTP_TRUSTED_PROXIES:
    case CONFIG_HTTP_PROXY_HEADER: return true;
    default: return false;
    }
}

/* Applies what may change while it runs; the log names every other key that changed. */
static void config_reload(const struct config_options *o, struct config *running, struct daemon *d)
{
    struct config *now = NULL;
    if (config_options_load(o, &now) != OK)
        return;
    log_level_load(now);
    daemon_reload(d, now);
    for (int key = 0; key < CONFIG_COUNT_; key++)
        if (!key_is_reloaded((enum config_key)key) &&
            strcmp(config_get(running, (enum config_key)key),
                   config_get(now, (enum config_key)key)))
            log_warn("config", "%s changed: it takes effect at the next start",
                     config_name((enum config_key)key));
    config_free(now);
    log_info("config", "read again");
}

/* A connection under way takes a descriptor: the daemon needs thousands, and the limit of 1,024 in
 * a shell is for interactive use. */
static void raise_descriptors(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= r.rlim_max)
        return;
    r.rlim_cur = r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r) != 0)
        log_warn("serve", "the limit of descriptors stays as it is: %s", strerror(errno));
}

/* Prints to standard error, whatever the level of the log, for the person who started it. */
static void print_setup(const struct daemon *d, struct addr at)
{
    static const uint8_t any[16];
    char http[ADDR_TEXT_SIZE];
    if (!daemon_setup_token(d)[0])
        return;
    if (memcmp(at.ip, any, sizeof any) == 0)
        (void)!addr_parse(at.family == 6 ? STR("::1") : STR("127.0.0.1"), at.port, &at);
    addr_print(&at, http);
    fprintf(stderr,
            "There is no operator key yet. Make it here, once:\n  http://%s/setup?token=%s\n"
            "Or set bootstrap.admin_key (HOOKSWITCH_BOOTSTRAP_ADMIN_KEY) and start again.\n",
            http, daemon_setup_token(d));
}

static void wait_for_end(const struct config_options *o, struct config *c, struct daemon *d,
                         const sigset_t *set)
{
    for (;;) {
        int sig;
        if (sigwait(set, &sig) != 0)
            continue;
        if (sig != SIGHUP)
            return;
        config_reload(o, c, d);
    }
}

static void on_second_signal(int sig)
{
    _exit(128 + sig);
}

int serve_run(int argc, char **argv)
{
    struct config_options o;
    struct config *c = NULL;
    struct daemon *d = NULL;
    char why[512], http[ADDR_TEXT_SIZE];
    int code = config_options_parse(argc, argv, 0, usage, &o);
    if (code)
        return code;
    if (config_options_load(&o, &c) != OK)
        return EXIT_USAGE;
    log_level_load(c);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptors();
    enum err err = daemon_start(c, &d, why, sizeof why);
    if (err != OK) {
        log_error("serve", "%s", why);
        config_free(c);
        return err == ERR_INVALID || err == ERR_SYNTAX || err == ERR_TOO_BIG ? EXIT_USAGE
               : err == ERR_EXISTS                                           ? EXIT_CONFLICT
                                                                             : 1;
    }
    struct addr at = daemon_http(d);
    print_setup(d, at);
    addr_print(&at, http);
    log_info("serve", "hookswitch %s is ready: http://%s", HOOKSWITCH_VERSION, http);
    wait_for_end(&o, c, d, &set);
    signal(SIGTERM, on_second_signal);
    signal(SIGINT, on_second_signal);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    int64_t drain_s = config_number(c, CONFIG_SERVE_DRAIN_S);
    log_info("serve", "ending: calls under way may go on for %d s", (int)drain_s);
    daemon_stop(d, drain_s * 1000);
    config_free(c);
    log_info("serve", "ended");
    return 0;
}
