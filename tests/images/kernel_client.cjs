// A notebook's editor as seen from the server: a kernel by address and token, through a wire that can be cut.
// node kernel_client.cjs (run|cut|anew) PORT TOKEN        prints what it found as one line of JSON
const net = require("node:net");
const { KernelAPI, KernelManager, ServerConnection } = require("@jupyterlab/services");

const LINES = 6;
const CELL = `
import time
for line in range(${LINES}):
    print(line, flush=True)
    time.sleep(0.3)
"the end"
`;

/** Every byte between client and server; when it is cut, both ends see the connection reset, and nobody gets through. */
class Wire {
  constructor(port) {
    this.ends = new Set();
    this.server = net.createServer((client) => {
      const server = net.connect(port, "127.0.0.1");
      for (const [end, other] of [[client, server], [server, client]]) {
        this.ends.add(end);
        end.pipe(other);
        end.on("error", () => other.destroy());
        end.on("close", () => this.ends.delete(end) && other.destroy());
      }
      if (this.broken) client.destroy();
    });
  }
  async lay() {
    await new Promise((laid) => this.server.listen(0, "127.0.0.1", laid));
    return this.server.address().port;
  }
  cut() {
    this.broken = true;
    for (const end of this.ends) end.resetAndDestroy();
  }
  mend() {
    this.broken = false;
  }
}

function settings(port, token) {
  const at = `127.0.0.1:${port}/`;
  return ServerConnection.makeSettings({ baseUrl: `http://${at}`, wsUrl: `ws://${at}`, token, appendToken: true });
}

async function start(port, token) {
  const kernels = new KernelManager({ serverSettings: settings(port, token) });
  return kernels.startNew({ name: "gaplab-tabular" });
}

/** A cell and what it has said so far; `first` comes with the first line. */
function execute(kernel, code) {
  const said = [];
  const cell = kernel.requestExecute({ code });
  const first = new Promise((heard) => {
    cell.onIOPub = ({ header, content }) => {
      if (header.msg_type === "stream") said.push(content.text);
      if (header.msg_type === "execute_result") said.push(content.data["text/plain"]);
      if (said.length) heard();
    };
  });
  return { cell, said, first };
}

/** What the server knows of a kernel once it has nothing to do any more. */
async function ended(kernel, direct) {
  for (;;) {
    await new Promise((passed) => setTimeout(passed, 200));
    const now = await KernelAPI.getKernelModel(kernel.id, direct);
    if (now.execution_state === "idle") return now;
  }
}

const tasks = {
  async run(port, token) {
    const kernel = await start(port, token);
    const { cell, said } = execute(kernel, "import sys; print(sys.prefix)");
    const reply = await cell.done;
    await kernel.shutdown();
    return { status: reply.content.status, said: said.join("") };
  },

  async cut(port, token) {
    const wire = new Wire(port);
    const kernel = await start(await wire.lay(), token);
    const { cell, said, first } = execute(kernel, CELL);
    await first;
    wire.cut();
    const before = said.length;
    const { connections } = await ended(kernel, settings(port, token));
    wire.mend();
    await kernel.reconnect();
    const reply = await cell.done;
    await kernel.shutdown();
    return { status: reply.content.status, before, connections, said: said.join("") };
  },

  async anew(port, token) {
    const wire = new Wire(port);
    const kernel = await start(await wire.lay(), token);
    const { first } = execute(kernel, CELL);
    await first;
    wire.cut();
    const direct = settings(port, token);
    const model = await ended(kernel, direct);
    kernel.dispose();
    const other = new KernelManager({ serverSettings: direct }).connectTo({ model });
    const heard = [];
    other.anyMessage.connect((_, { msg }) => msg.header.msg_type === "stream" && heard.push(msg.content.text));
    await execute(other, "print('line', line)").cell.done;
    await other.shutdown();
    return { heard: heard.join("") };
  },
};

const [task, port, token] = process.argv.slice(2);
tasks[task](port, token).then(
  (found) => {
    console.log(JSON.stringify(found));
    process.exit(0);
  },
  (problem) => {
    console.log(JSON.stringify({ refused: problem.response?.status ?? String(problem) }));
    process.exit(0);
  },
);
