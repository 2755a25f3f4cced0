/* ProcessPrng of bcryptprimitives.dll, which Wine 8 lacks and Rust's standard library needs, over RtlGenRandom.
   Used only to run the Windows participant under Wine in a test; never part of a release. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
    return SystemFunction036(data, (ULONG)length);
}
