# An image for EC2: Amazon Linux 2023 with JDK 11, 17, 21 and 25 where
# docs/node-image.md wants them. Its user data is left to cloud-init.
#
#   packer init scripts/packer
#   packer build -var region=… -var subnet_id=… -var arch=arm64 scripts/packer/ec2.pkr.hcl

packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = "= 1.3.9"
    }
  }
}

variable "region" {
  type = string
}

variable "subnet_id" {
  type = string
}

variable "arch" {
  type    = string
  default = "arm64" # or amd64
}

locals {
  uname = var.arch == "arm64" ? "arm64" : "x86_64"
}

source "amazon-ebs" "node" {
  region        = var.region
  subnet_id     = var.subnet_id
  instance_type = var.arch == "arm64" ? "m7g.large" : "m7i.large"
  ami_name      = "batch-node-${var.arch}-${formatdate("YYYYMMDDhhmmss", timestamp())}"
  ssh_username  = "ec2-user"

  source_ami_filter {
    filters = {
      name         = "al2023-ami-2023.*-${local.uname}"
      architecture = local.uname
    }
    owners      = ["amazon"]
    most_recent = true
  }

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }
}

build {
  sources = ["source.amazon-ebs.node"]

  provisioner "shell" {
    execute_command = "sudo sh -eu {{ .Path }}"
    inline = [
      "dnf install -y java-11-amazon-corretto-headless java-17-amazon-corretto-headless java-21-amazon-corretto-headless java-25-amazon-corretto-headless tar gzip unzip",
      "mkdir -p /opt/jdk",
      "for v in 11 17 21 25; do ln -s /usr/lib/jvm/java-$v-amazon-corretto /opt/jdk/$v; /opt/jdk/$v/bin/java -version; done",
      "ln -sf /opt/jdk/21/bin/java /usr/local/bin/java",
      "localectl set-locale LANG=C.UTF-8",
      "cloud-init clean --logs", # the next machine is a first boot again
    ]
  }
}
