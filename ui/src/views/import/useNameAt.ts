import { useFound, useImports } from "../../store/queries";

/** What people call the program whose data stands at a path; the path's last part where that is not known. */
export function useNameAt(path: string): string {
  const found = useFound().data?.find((one) => one.path === path);
  const past = useImports().data?.find((one) => one.path === path);
  return found?.name ?? past?.name ?? path.split(/[/\\]/).findLast((part) => part !== "") ?? path;
}
