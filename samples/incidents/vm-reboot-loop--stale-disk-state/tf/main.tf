resource "proxmox_virtual_environment_vm" "talos" {
  name = "demo-workers-kkp7ks"
  disk {
    datastore_id = "local-lvm"
    file_id      = proxmox_virtual_environment_download_file.talos_nocloud.id
    interface    = "scsi0"
    size         = 40
  }
}
