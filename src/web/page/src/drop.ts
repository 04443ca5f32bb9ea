// Files that are let fall on the page: where nobody takes them, the browser would go away and show them in its place.

export function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

/** Begins to keep the page in its place. */
export function beginToHold(): void {
  addEventListener('dragover', (event) => {
    if (event.defaultPrevented || !hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer!.dropEffect = 'none';
  });
  addEventListener('drop', (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
}
