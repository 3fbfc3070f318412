/* text_setup: makes the settings of the benchmarks of text messages, through the daemon's API. */
#include "text_setup.h"

#include <stdio.h>

#include "tenants.h"
#include "texts.h"

void text_numbers_make(int http, const char *key, int hook, unsigned endpoints)
{
    char number[16], mem[2048];
    struct buf body;
    for (size_t e = 0; e < endpoints; e++) {
        struct buf list;
        char list_mem[1024];
        buf_wrap(&list, list_mem, sizeof list_mem);
        for (size_t i = e; i < TEXT_NUMBERS; i += endpoints) {
            snprintf(number, sizeof number, "%s%04zu", TEXT_NUMBER_PREFIX, i);
            buf_wrap(&body, mem, sizeof mem);
            buf_printf(&body, "{\"number\":\"+%s\",\"sms\":true}", number);
            api_create(http, key, "/v1/numbers", &body, NULL);
            buf_printf(&list, "%s\"+%s\"", list.n ? "," : "", number);
        }
        buf_wrap(&body, mem, sizeof mem);
        buf_printf(&body,
                   "{\"url\":\"http://127.0.1.%zu:%d/h/%zu\",\"events\":[\"sms_received\"],"
                   "\"concurrency\":64,\"numbers\":[%.*s]}",
                   e + 1, hook, e, STR_FMT(buf_str(&list)));
        api_create(http, key, "/v1/endpoints", &body, NULL);
    }
}

void text_link_make(int http, const char *key, const struct text_link *l)
{
    char mem[1024];
    struct buf body;
    buf_wrap(&body, mem, sizeof mem);
    buf_printf(&body,
               "{\"name\":\"bench\",\"system_id\":\"bench\",\"password\":\"bench\","
               "\"window\":%u,\"max_binds\":%u,",
               l->window, l->binds);
    if (l->listener)
        buf_puts(&body, "\"mode\":\"server\"}");
    else
        buf_printf(&body, "\"mode\":\"client\",\"host\":\"127.0.0.1\",\"port\":%d}", l->smpp);
    api_create(http, key, "/v1/smpp-links", &body, NULL);
}
