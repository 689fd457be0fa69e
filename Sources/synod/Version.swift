/// What `synod --version` says.
let synodVersion = "0.1.0"
