// Search on a site that is opened from the disk, where browsers start no Worker: its script runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    #frame = document.createElement("iframe");
    #waiting = []; // messages from before the script runs

    constructor(url) {
      super();
      this.#frame.hidden = true;
      document.documentElement.append(this.#frame);
      const inner = this.#frame.contentWindow;
      inner.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      const script = inner.document.createElement("script");
      script.src = url;
      script.onload = () => {
        for (const data of this.#waiting) this.#deliver(data);
        this.#waiting = null;
      };
      script.onerror = (event) => this.dispatchEvent(new ErrorEvent("error", event));
      inner.document.documentElement.append(script);
    }

    postMessage(data) {
      if (this.#waiting) this.#waiting.push(data);
      else this.#deliver(data);
    }

    terminate() {
      this.#frame.remove();
    }

    #deliver(data) {
      const inner = this.#frame.contentWindow;
      inner?.dispatchEvent(new inner.MessageEvent("message", { data }));
    }
  };
}
