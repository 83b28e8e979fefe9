export default function View(_: Record<string, unknown>) { return null; }
