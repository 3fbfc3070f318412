/* The ceiling of `./dev bench sms`: an SMPP listener that accepts everything and does nothing, one
 * thread, one session at a time on 127.0.0.1:port. */
#pragma once

struct responder;
struct responder *responder_start(int port); /* a failure ends the process */
double responder_cpu_us(const struct responder *r);
void responder_stop(struct responder *r); /* after its peer closed the session; frees */
