//! Puts the program together: plugins, window, frame socket, host. Starts once; a second start raises this one.

use crate::{args::Args, folders, frames, host::Host, link, window};
use protocol::HostEvent;
use std::sync::atomic::Ordering::Relaxed;
use tauri::{Emitter, Manager, RunEvent, WindowEvent};
use tauri_plugin_deep_link::DeepLinkExt;

/// The Tauri event that carries every [`HostEvent`].
const HOST_EVENT: &str = "host";

/// Runs until the window is closed.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let server = args.server(folders::settings().as_deref())?;
    let builder = tauri::Builder::default();
    #[cfg(target_os = "macos")]
    let builder = builder.on_web_content_process_terminate(|webview| window::page_died(webview.app_handle()));
    let app = builder
        // Must be the first plugin: it ends a second process before anything else of it starts. A link among the second
        // one's arguments it hands to the plugin of links.
        .plugin(tauri_plugin_single_instance::init(|app, _, _| window::raise(app)))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_window_state::Builder::new().build())
        .invoke_handler(tauri::generate_handler![host_call])
        .setup(move |app| {
            tracing::info!(%server, version = env!("CARGO_PKG_VERSION"), "starting");
            let hub = frames::FrameHub::new();
            let (listener, port) = tauri::async_runtime::block_on(async {
                let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
                let port = listener.local_addr()?.port();
                anyhow::Ok((listener, port))
            })?;
            let handle = app.handle().clone();
            let host = Host::new(
                server,
                args.code(),
                args.synthetic,
                hub.clone(),
                port,
                move |event| tell(&handle, &event),
            )?;
            let requests = host.clone();
            let shell = app.handle().clone();
            tauri::async_runtime::spawn(frames::serve(
                listener,
                hub,
                move |request| requests.frame_request(request),
                move |lost| window::page_lost(&shell, lost),
            ));
            app.manage(host);
            follow_links(app.handle());
            window::open(app.handle())?;
            crate::THERE_IS_A_WINDOW.store(true, Relaxed);
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(|app, event| match event {
        RunEvent::WindowEvent {
            event: WindowEvent::CloseRequested { api, .. },
            ..
        } if app.state::<Host>().holds_a_seat() => {
            api.prevent_close();
            window::ask_before_closing(app);
        }
        RunEvent::Exit => app.state::<Host>().window_closed(),
        _ => {}
    });
    Ok(())
}

/// One command for all: `name` is one of [`protocol::HOST_COMMANDS`].
#[tauri::command]
async fn host_call(
    host: tauri::State<'_, Host>,
    name: String,
    args: serde_json::Value,
) -> Result<serde_json::Value, protocol::HostError> {
    host.call(&name, args).await
}

fn tell(app: &tauri::AppHandle, event: &HostEvent) {
    if let Err(error) = app.emit(HOST_EVENT, event) {
        tracing::warn!(%error, "the page could not be told");
    }
}

fn follow_links(app: &tauri::AppHandle) {
    #[cfg(any(target_os = "linux", target_os = "windows"))]
    if let Err(error) = app.deep_link().register_all() {
        tracing::warn!(%error, "mingting:// links cannot be registered; the code can still be typed");
    }
    let handle = app.clone();
    app.deep_link().on_open_url(move |event| {
        if let Some(code) = event
            .urls()
            .iter()
            .find_map(|url| link::code_in_link(url.as_str()))
        {
            window::raise(&handle);
            handle.state::<Host>().offer(code);
        }
    });
}
