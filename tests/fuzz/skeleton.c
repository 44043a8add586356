/* The library was made once, by
 *     cc -shared -fPIC -nostdlib -s -Wl,-z,noseparate-code,--build-id=none -o skeleton.so skeleton.c
 * The fuzz targets replace the contents of the sections. */
int answer(void) { return 42; }
__attribute__((section(".hotswap"), used)) const unsigned char metadata[] = {1, 2, 3, 4};
__attribute__((section(".hotswap.live"), used)) const unsigned char live[] = {5, 6, 7, 8};
