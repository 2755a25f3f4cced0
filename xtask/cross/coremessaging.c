/* CreateDispatcherQueueController of coremessaging.dll, which Wine 8 lacks and the capture of Windows' screen imports. It
   refuses, so that a program starts and its screen capture fails with an error.
   Used only to run the Windows participant under Wine in a test; never part of a release. */
#include <windows.h>

struct options {
    DWORD size;
    int thread;
    int apartment;
};

__declspec(dllexport) HRESULT WINAPI CreateDispatcherQueueController(struct options options, void **controller) {
    (void)options;
    *controller = NULL;
    return E_NOTIMPL;
}
