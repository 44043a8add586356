/* Made once, by
 *     cc -shared -fPIC -nostdlib -s -Wl,-z,noseparate-code,--build-id=none -o skeleton.so skeleton.c
 * The fuzz targets replace what is in the section. */
int answer(void) { return 42; }
__attribute__((section(".hotswap"), used)) const unsigned char metadata[] = {1, 2, 3, 4};
