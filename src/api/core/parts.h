/* Inside api/: holds the parts of the API that its requests share. */
#pragma once
#include <pthread.h>

#include "api/core/config.h"
#include "api/core/cursor.h"
#include "api/http/rate.h"

struct endpoint_room;
struct server;
struct sms_fields;
struct hasher;
struct key_uses;
struct logins;
struct peers;
struct throttle;

struct api {
    struct api_config c;
    struct logins *logins;
    struct key_uses *key_uses;
    struct throttle *throttle;
    struct peers *peers;
    struct hasher *hasher;
    struct server *server;
    struct sms_fields *sms_fields; /* the operator's; immutable */
    char setup_hash[65];           /* of the setup URL's token; "": there is no setup */
    struct rates *rates;
    struct endpoint_room *endpoint_room; /* the writer's */
    uint8_t cursor_key[CURSOR_KEY_SIZE];
    struct mailbox *home; /* answers of the store, opened by one thread */
    pthread_t answers;
};
