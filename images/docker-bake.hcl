# docker buildx bake -f images/docker-bake.hcl         every image, for the CPU
# gaplab stack image                                   the same with this machine's settings (uv's, pip's) and digests as labels
#
# Always with -f: without it, bake reads compose.yaml too and mixes the two.
variable "GAPLAB_DEVICE" { default = "cpu" }
variable "REVISION" { default = "unknown" }

# Only where they are needed: another base image, a folder with torch's CPU wheels, the page that lists them, a bundle of
# certificates, the address of a package index (a secret, since it may hold a password), a file of npm's settings.
variable "GAPLAB_BASE_IMAGE" { default = "" }
variable "GAPLAB_WHEELS" { default = "" }
variable "GAPLAB_FIND_LINKS" { default = "" }
variable "GAPLAB_CA" { default = "" }
variable "UV_DEFAULT_INDEX" { default = "" }
variable "GAPLAB_NPMRC" { default = "" }

group "default" { targets = ["services", "database", "stack", "editor"] }

target "_all" {
  dockerfile = "images/Dockerfile"
  contexts   = GAPLAB_WHEELS == "" || GAPLAB_DEVICE == "gpu" ? {} : { wheels = GAPLAB_WHEELS }
  secret = concat(
    GAPLAB_CA == "" ? [] : ["id=ca,src=${GAPLAB_CA}"],
    UV_DEFAULT_INDEX == "" ? [] : ["id=index,env=UV_DEFAULT_INDEX"],
    GAPLAB_NPMRC == "" ? [] : ["id=npmrc,src=${GAPLAB_NPMRC}"],
  )
  args = {
    BASE_IMAGE = GAPLAB_BASE_IMAGE == "" ? null : GAPLAB_BASE_IMAGE
    FIND_LINKS = GAPLAB_WHEELS != "" ? "/wheels" : GAPLAB_FIND_LINKS != "" ? GAPLAB_FIND_LINKS : null
    REVISION   = REVISION
  }
}

target "services" {
  inherits = ["_all"]
  target   = "services"
  tags     = ["gaplab-services:cpu"]
}

target "database" {
  inherits = ["_all"]
  target   = "database"
  tags     = ["gaplab-database:15"]
}

target "stack" {
  name = stack.name
  matrix = {
    stack = [
      { name = "tabular", from = "base" },
      { name = "grpo", from = "torch" },
      { name = "ppo", from = "torch" },
    ]
  }
  inherits = ["_all"]
  target   = "lab"
  args     = { STACK = stack.name, FROM_STAGE = stack.from, DEVICE = GAPLAB_DEVICE }
  tags     = ["gaplab-${stack.name}:${GAPLAB_DEVICE}"]
}

target "editor" {
  inherits = ["_all"]
  target   = "editor"
  args     = { STACK = "tabular", FROM_STAGE = "base" }
  tags     = ["gaplab-editor:cpu"]
}
