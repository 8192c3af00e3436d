/** Video is kept from the claim on: an event sooner than this after it has a clip with too short a pre-roll. */
export const RING_FILLS_MS = 10_000;
/** Settings of a camera that films and raises no event: nothing in the picture's corner is as large as the picture. */
export const NO_EVENTS = `[[motion.zones]]
name = "nowhere"
corners = [[0, 0], [0.01, 0], [0, 0.01]]
minArea = 100
`;
