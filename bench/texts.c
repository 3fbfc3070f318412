/* texts: makes messages and finds them again. Each begins with its own number ("N0000000042 …"),
 * by which the receiver knows it in any form, and has a sender of its own. A long one is Cyrillic,
 * in two parts with a header (3GPP TS 23.040 §9.2.3.24.1). */
#include "texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "room.h"

enum { DIGITS = 10, UDH = 6, UNITS_FIRST = 67, UNITS_LAST = 20, CODING_UCS2 = 8, ESM_UDHI = 0x40 };

void texts_init(struct texts *t, size_t max, unsigned long_percent)
{
    memset(t, 0, sizeof *t);
    t->max = max;
    t->long_percent = long_percent;
    t->parts_taken = room_make(max, 1, "the messages");
    t->sent_us = room_make(max, sizeof *t->sent_us, "the messages");
    t->after_us = room_make(max, sizeof *t->after_us, "the messages");
}

void texts_fini(struct texts *t)
{
    free(t->parts_taken);
    free(t->sent_us);
    free(t->after_us);
}

unsigned text_parts(const struct texts *t, size_t i)
{
    return i * 37 % 100 < t->long_percent ? TEXT_PARTS : 1;
}

void text_print_to(size_t i, char out[16])
{
    snprintf(out, 16, TEXT_NUMBER_PREFIX "%04zu", (i * 2654435761u >> 12) % TEXT_NUMBERS);
}

void text_print_from(size_t i, char out[16])
{
    snprintf(out, 16, "1917%07zu", i % 10000000);
}

static void put_units(struct text_part *p, const char *ascii, unsigned cyrillic)
{
    for (; *ascii; ascii++) {
        p->data[p->n++] = 0;
        p->data[p->n++] = *ascii;
    }
    for (unsigned i = 0; i < cyrillic; i++) {
        p->data[p->n++] = 0x04;
        p->data[p->n++] = (char)(0x30 + i % 32);
    }
}

void text_part_print(const struct texts *t, size_t i, unsigned part, struct text_part *ret)
{
    char start[DIGITS + 3];
    snprintf(start, sizeof start, "N%010zu ", i % 10000000000u);
    *ret = (struct text_part){0};
    if (text_parts(t, i) == 1) {
        ret->n = (uint8_t)snprintf(ret->data, sizeof ret->data,
                                   "%sHello, your parcel arrives today between 9 and 11.", start);
        return;
    }
    const char header[UDH] = {5, 0, 3, (char)(i & 0xff), TEXT_PARTS, (char)(part + 1)};
    memcpy(ret->data, header, UDH);
    ret->n = UDH;
    ret->esm_class = ESM_UDHI;
    ret->data_coding = CODING_UCS2;
    if (part == 0)
        put_units(ret, start, UNITS_FIRST - DIGITS - 2);
    else
        put_units(ret, "", UNITS_LAST);
}

void texts_acknowledged(struct texts *t, size_t i)
{
    t->acknowledged += ++t->parts_taken[i] == text_parts(t, i);
}

/* Returns the number after the marker, or SIZE_MAX. */
static size_t number_after(struct str in, struct str marker)
{
    const char *p = memmem(in.p, in.n, marker.p, marker.n);
    struct str digits = p ? str_slice(in, (size_t)(p - in.p) + marker.n, DIGITS) : (struct str){0};
    uint64_t i;
    return digits.n == DIGITS && str_to_u64(digits, UINT64_MAX, &i) == OK ? i : SIZE_MAX;
}

void texts_arrived(struct texts *t, struct str request, int64_t now_us)
{
    size_t i = number_after(request, STR("\"message\":\"N"));
    if (i == SIZE_MAX)
        i = number_after(request, STR("text=N"));
    if (i >= t->max) {
        atomic_fetch_add(&t->strange, 1);
        return;
    }
    int64_t late = now_us - t->sent_us[i];
    late = late < 0 ? 0 : late >= UINT32_MAX ? UINT32_MAX - 1 : late;
    if (atomic_load_explicit(&t->after_us[i], memory_order_relaxed)) {
        atomic_fetch_add(&t->repeated, 1);
        return;
    }
    atomic_store_explicit(&t->after_us[i], (uint32_t)late + 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&t->arrived, 1, memory_order_release);
}

size_t texts_missing(const struct texts *t, size_t first)
{
    size_t missing = 0;
    for (size_t i = first; i < t->n; i++)
        missing += t->parts_taken[i] == text_parts(t, i) && !t->after_us[i];
    return missing;
}

bool texts_say(const struct texts *t, size_t first)
{
    size_t missing = texts_missing(t, first), repeated = t->repeated, strange = t->strange;
    bool good = !missing && !strange;
    say("each acknowledged message at the receiver, once",
        "%s (%zu messages; missing %zu, repeated %zu, not ours %zu)",
        !good      ? "NO"
        : repeated ? "at least once"
                   : "yes",
        t->n - first, missing, repeated, strange);
    return good;
}

size_t texts_latencies(const struct texts *t, size_t first, uint32_t **ret_sorted)
{
    size_t n = 0;
    uint32_t *v = room_make(t->n - first + 1, sizeof *v, "the messages");
    for (size_t i = first; i < t->n; i++)
        if (t->after_us[i])
            v[n++] = t->after_us[i] - 1;
    sort_u32(v, n);
    *ret_sorted = v;
    return n;
}
