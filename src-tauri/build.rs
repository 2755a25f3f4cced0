//! Tells Tauri's build step which commands exist, so that a window may call only what its capability lists.

fn main() {
    let manifest = tauri_build::AppManifest::new().commands(&["host_call"]);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))
        .expect("tauri.conf.json, the capabilities and the icons lie beside this file");
}
