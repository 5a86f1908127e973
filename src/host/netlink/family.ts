import { Attributes, attributeText, join } from './message.js';
import type { NetlinkSocket } from './socket.js';

/* The controller of generic netlink (include/uapi/linux/genetlink.h). */
const CONTROLLER = 0x10;
const GET_FAMILY = 3;
const FAMILY_ID = 1;
const FAMILY_NAME = 2;

/** Numbers of families are given out as they register: the controller knows them by name. @returns undefined where the kernel has no such family */
export function familyOf(socket: NetlinkSocket, name: string): number | undefined {
  const answer = socket.request(CONTROLLER, join(Uint8Array.of(GET_FAMILY, 1, 0, 0), attributeText(FAMILY_NAME, name)));
  const body = answer.ok ? answer.messages[0]?.body : undefined;
  const id = body && new Attributes(body.subarray(4)).bytes(FAMILY_ID);
  return id?.length === 2 ? (id[0] ?? 0) | ((id[1] ?? 0) << 8) : undefined;
}
