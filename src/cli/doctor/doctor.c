/* doctor: runs all checks and prints a line for each finding: ok, warn (it will cause trouble) or
 * FAIL (the daemon cannot start, or cannot keep its promises). Main thread. */
#include "cli/doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timex.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/options.h"

static const char usage[] = "doctor [--config FILE] [--set KEY=VALUE]... [--sip-peer HOST[:PORT]] "
                            "[--host NAME] [--json]";

void doctor_say(struct doctor *d, enum finding f, const char *what, const char *fmt, ...)
{
    static const char *const name[] = {"ok", "warn", "FAIL"};
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    d->count[f]++;
    if (!d->json) {
        printf("%-5s %-12s %s\n", name[f], what, text);
        return;
    }
    struct buf b;
    buf_init(&b, 8192);
    struct json_writer w = {&b, false};
    json_obj(&w, NULL);
    json_put_str(&w, "finding", str_of(name[f]));
    json_put_str(&w, "what", str_of(what));
    json_put_str(&w, "text", str_of(text));
    json_end_obj(&w);
    printf("%.*s\n", STR_FMT(buf_str(&b)));
    buf_fini(&b);
}

/* Signatures carry the time, and receivers refuse one that is five minutes off. */
static void look_at_clock(struct doctor *d)
{
    struct timex t = {0};
    char now[CLOCK_TEXT_SIZE];
    int state = adjtimex(&t);
    clock_print_sec(clock_wall_ms(), now);
    if (clock_wall_ms() < 1700000000000)
        doctor_say(d, FINDING_FAIL, "clock", "it says %s: set it, receivers refuse old signatures",
                   now);
    else if (state == TIME_ERROR || (t.status & STA_UNSYNC))
        doctor_say(d, FINDING_WARN, "clock",
                   "%s, but nothing keeps it right: run chrony or systemd-timesyncd; receivers "
                   "refuse signatures that are five minutes off",
                   now);
    else
        doctor_say(d, FINDING_OK, "clock", "%s, kept by a time service", now);
}

/* A call, a webhook under way and a carrier's session take a descriptor each. */
static void look_at_descriptors(struct doctor *d)
{
    enum { WANTED = 16384 };
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return;
    if (r.rlim_max < WANTED)
        doctor_say(d, FINDING_WARN, "descriptors",
                   "at most %llu: LimitNOFILE=%d in the unit, or ulimit -Hn %d",
                   (unsigned long long)r.rlim_max, WANTED, WANTED);
    else
        doctor_say(d, FINDING_OK, "descriptors", "up to %llu", (unsigned long long)r.rlim_max);
}

static void look_at_key(struct doctor *d)
{
    const char *key = config_get(d->config, CONFIG_BOOTSTRAP_ADMIN_KEY);
    size_t n = strlen(key);
    if (n && n < 20)
        doctor_say(
            d, FINDING_WARN, "key",
            "bootstrap.admin_key has %zu characters: whoever guesses it has everything; take 20 "
            "or more at random",
            n);
    else
        doctor_say(d, FINDING_OK, "key",
                   n ? "bootstrap.admin_key is set"
                     : "no bootstrap.admin_key: fine once there is an operator key");
}

static int doctor_parse_options(int argc, char **argv, struct config_options *o, struct doctor *d)
{
    char *rest[128];
    int n = 0;
    for (int i = 0; i < argc && n < 128; i++) {
        const char **to = !strcmp(argv[i], "--sip-peer") ? &d->sip_peer
                          : !strcmp(argv[i], "--host")   ? &d->host
                                                         : NULL;
        if (!strcmp(argv[i], "--json"))
            d->json = true;
        else if (to && i + 1 < argc)
            *to = argv[++i];
        else
            rest[n++] = argv[i];
    }
    return config_options_parse(n, rest, 0, usage, o);
}

int doctor_run(int argc, char **argv)
{
    struct config_options o;
    struct config *c = NULL;
    struct doctor d = {.host = "example.com"};
    int code = doctor_parse_options(argc, argv, &o, &d);
    if (code)
        return code;
    if (config_options_load(&o, &c) != OK)
        return EXIT_USAGE;
    d.config = c;
    doctor_say(&d, FINDING_OK, "version", "hookswitch %s", HOOKSWITCH_VERSION);
    doctor_disk(&d);
    doctor_network(&d);
    look_at_clock(&d);
    look_at_descriptors(&d);
    look_at_key(&d);
    doctor_sip_alg(&d);
    doctor_reach(&d);
    if (!d.json)
        printf("%u ok, %u to look at, %u failed\n", d.count[FINDING_OK], d.count[FINDING_WARN],
               d.count[FINDING_FAIL]);
    config_free(c);
    return d.count[FINDING_FAIL] ? 1 : 0;
}
