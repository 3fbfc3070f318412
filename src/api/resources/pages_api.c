/* pages_api: answers the requests that need no key: health, metrics, the description of the API, a
 * first page. On the HTTP server's threads. */
#include "api/http/files.h"
#include "api/resources/handlers.h"
#include "api/core/problem.h"
#include "base/metrics.h"

void health_get(struct request *r)
{
    r->http.status = 200;
    buf_puts(&r->http.out, "{\"status\":\"ok\"}");
    request_done(r);
}

/* Answers whether the daemon is ready: events that come in now can be made durable. */
void ready_get(struct request *r)
{
    const struct api_config *c = &r->api->c;
    bool ready = store_is_writable(c->store) && (!c->sip_ready || c->sip_ready(c->arg));
    if (ready) {
        r->http.status = 200;
        buf_puts(&r->http.out, "{\"status\":\"ready\"}");
    } else {
        problem(r, 503, "store_unavailable", "The store cannot write.");
    }
    request_done(r);
}

void metrics_get(struct request *r)
{
    r->http.status = 200;
    r->http.content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_print(&r->http.out);
    request_done(r);
}

void openapi_get(struct request *r)
{
    r->http.status = 200;
    buf_put_str(&r->http.out, file_openapi());
    request_done(r);
}

void home_get(struct request *r)
{
    r->http.status = 200;
    r->http.content_type = "text/html; charset=utf-8";
    buf_puts(&r->http.out,
             "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>hookswitch</title>"
             "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em "
             "auto;padding:0 1em}"
             "</style><h1>hookswitch</h1><p>Version " HOOKSWITCH_VERSION
             ". It is running. The dashboard is not here yet; these are:</p><ul>"
             "<li><a href=\"/healthz\">/healthz</a>, <a href=\"/readyz\">/readyz</a></li>"
             "<li><a href=\"/metrics\">/metrics</a></li>"
             "<li>the API under <code>/v1</code>, with a key</li></ul></html>");
    request_done(r);
}
