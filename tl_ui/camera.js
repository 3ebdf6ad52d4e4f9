// Live picture and one button for each class: held, it records a burst; tapped, one picture.
const EVERY = 1000 / 6 // milliseconds between two frames
const QUALITY = 0.9
const PATIENCE = 10000 // milliseconds without an answer until a burst is sent once more

const FILES = "Use picture files instead, below: on a phone, their picker opens the camera."
const INSECURE =
  "Browsers give the camera only to pages at https:// addresses or on the same machine " +
  `(localhost). ${FILES}`
const REFUSALS = {
  NotAllowedError: `The camera was not allowed. Allow it beside the address, then try again. ${FILES}`,
  NotFoundError: `No camera was found. ${FILES}`,
  NotReadableError: `Another program uses the camera. Close that, then try again. ${FILES}`,
}

// Streamlit calls the default export again whenever data change: the camera has to outlive that.
const cameras = new WeakMap()

export default function (component) {
  const { data, parentElement, setTriggerValue, setStateValue } = component
  let camera = cameras.get(parentElement)
  if (!camera) {
    camera = new Camera(parentElement)
    cameras.set(parentElement, camera)
  }
  camera.show(data, setTriggerValue, setStateValue)
  return () => {
    // Also called where a newer call of this function overtook this one: nothing ends then.
    if (!camera.video.isConnected) camera.close()
  }
}

class Camera {
  constructor(root) {
    for (const name of ["picture", "counter", "on", "say", "classes", "tools", "other", "off"]) {
      this[name + "Part"] = root.querySelector("." + name)
    }
    this.video = root.querySelector("video")
    this.canvas = document.createElement("canvas")
    this.onPart.onclick = () => this.open()
    this.offPart.onclick = () => this.close()
    this.otherPart.onclick = () => this.openOther()
  }

  show(data, setTriggerValue, setStateValue) {
    const first = !this.data
    Object.assign(this, { data, setTriggerValue, setStateValue })
    this.list(data.classes)
    if (this.sending && data.received === this.sending.id) {
      clearTimeout(this.retry)
      this.sending = null
      this.say(data.said)
    }
    this.mark()
    if (!first) return
    if (window.isSecureContext && navigator.mediaDevices) {
      this.say("The picture stays in this browser until you record.")
    } else {
      this.picturePart.hidden = true
      this.refuse("insecure", INSECURE)
    }
  }

  say(words) {
    this.sayPart.textContent = words
  }

  refuse(reason, words) {
    this.say(words)
    this.block(reason)
  }

  block(reason) {
    if (reason !== (this.blocked ?? "")) this.setStateValue("blocked", reason)
    this.blocked = reason
  }

  // --- The camera

  async open(device) {
    this.say("Asking the browser for the camera …")
    const wanted = device ? { deviceId: { exact: device } } : { facingMode: { ideal: "environment" } }
    let stream
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: wanted })
    } catch (error) {
      return this.refuse(error.name, REFUSALS[error.name] ?? `The camera did not start (${error.name}). ${FILES}`)
    }
    if (!this.video.isConnected) return stop(stream) // the page was left meanwhile
    this.stream = stream
    this.video.srcObject = stream
    const settings = stream.getVideoTracks()[0].getSettings()
    this.device = settings.deviceId
    this.video.classList.toggle("mirrored", settings.facingMode !== "environment")
    const cameras = await navigator.mediaDevices.enumerateDevices()
    this.devices = cameras.filter((one) => one.kind === "videoinput").map((one) => one.deviceId)
    this.otherPart.hidden = this.devices.length < 2
    this.onPart.hidden = true
    this.classesPart.hidden = this.toolsPart.hidden = false
    this.say("Hold a button, or Space on it, and turn the object. A tap takes one picture.")
    this.block("")
  }

  openOther() {
    const next = this.devices[(this.devices.indexOf(this.device) + 1) % this.devices.length]
    this.close()
    this.open(next)
  }

  close() {
    this.end()
    stop(this.stream)
    this.stream = this.video.srcObject = null
    this.onPart.hidden = false
    this.classesPart.hidden = this.toolsPart.hidden = true
    this.say("The camera is off.")
  }

  // --- The buttons

  list(classes) {
    const names = JSON.stringify(classes.map((one) => one.name))
    if (names !== this.names) {
      this.names = names
      this.classesPart.replaceChildren(...classes.map((one) => this.button(one)))
    }
    classes.forEach((one, place) => {
      this.classesPart.children[place].querySelector(".count").textContent = one.count
    })
  }

  button(one) {
    const button = document.createElement("button")
    button.type = "button"
    button.className = "hold"
    button.append(span("", `Hold to record ${one.shown}`), span("count", ""))
    const held = (event) => event.key === " " || event.key === "Enter"
    button.onpointerdown = (event) => {
      if (event.button) return
      button.setPointerCapture(event.pointerId)
      this.begin(one, button)
    }
    // Pressing one button takes the focus from another, which must not end what has just begun.
    const release = () => this.burst?.button === button && this.end()
    button.onpointerup = button.onlostpointercapture = button.onblur = release
    button.onkeydown = (event) => {
      if (!held(event)) return
      event.preventDefault()
      if (!event.repeat) this.begin(one, button)
    }
    button.onkeyup = (event) => {
      if (!held(event)) return
      event.preventDefault() // Firefox would click now
      release()
    }
    button.onclick = (event) => {
      // Screen readers click without pointer or key: that is a tap.
      if (event.detail) return
      this.begin(one, button)
      this.end()
    }
    button.oncontextmenu = (event) => event.preventDefault()
    return button
  }

  mark() {
    const wait = Boolean(this.encoding || this.sending)
    for (const button of this.classesPart.children) button.setAttribute("aria-disabled", String(wait))
  }

  // --- Recording

  begin(one, button) {
    if (!this.stream || this.burst || this.encoding || this.sending) return
    this.burst = { one, button, frames: [] }
    button.classList.add("recording")
    this.say(`Recording ${one.shown} …`)
    this.timer = setInterval(() => this.take(), EVERY)
    this.take()
  }

  take() {
    const { videoWidth: width, videoHeight: height } = this.video
    if (!width) return
    const scale = Math.min(1, this.data.side / Math.max(width, height))
    this.canvas.width = Math.round(width * scale)
    this.canvas.height = Math.round(height * scale)
    this.canvas.getContext("2d").drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height)
    this.burst.frames.push(new Promise((done) => this.canvas.toBlob(done, "image/jpeg", QUALITY)))
    this.counterPart.hidden = false
    this.counterPart.textContent = `Recording: ${this.burst.frames.length}`
    if (this.burst.frames.length >= this.data.most) this.end()
  }

  async end() {
    const burst = this.burst
    if (!burst) return
    this.burst = null
    clearInterval(this.timer)
    burst.button.classList.remove("recording")
    this.counterPart.hidden = true
    if (!burst.frames.length) return this.say("The camera shows nothing yet. Try again in a moment.")
    this.say(`Saving ${burst.frames.length} of ${burst.one.shown} …`)
    this.encoding = true
    this.mark()
    const frames = await Promise.all(burst.frames.map(async (blob) => base64(await blob)))
    this.encoding = false
    this.sending = { id: crypto.randomUUID(), label: burst.one.name, frames }
    this.send()
  }

  send() {
    if (!this.sending || !this.video.isConnected) return
    this.setTriggerValue("burst", this.sending)
    this.retry = setTimeout(() => this.send(), PATIENCE)
  }
}

function stop(stream) {
  stream?.getTracks().forEach((track) => track.stop())
}

function span(name, words) {
  const made = document.createElement("span")
  made.className = name
  made.textContent = words
  return made
}

function base64(blob) {
  return new Promise((done) => {
    const reader = new FileReader()
    reader.onload = () => done(reader.result.split(",", 2)[1])
    reader.readAsDataURL(blob)
  })
}
