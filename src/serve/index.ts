/**
 * The answering side of `tautline serve`, pure: who may have a session, what each datagram, frame or
 * request is answered with, and within which limits. It opens no sockets and reads no clocks: `host/`
 * feeds it bytes and the time and sends what it returns; `sim/` does the same in virtual time.
 *
 *     const responder = new UdpResponder({ secret, limits: limitsOf({ floodsMax: 2 }) });
 *     const answer = responder.receive(bytes, from, rxNs, nowNs);
 */
export * from './control-server.js';
export * from './http.js';
export * from './limits.js';
export { clientOf } from './sessions.js';
export * from './tickets.js';
export * from './udp-responder.js';
