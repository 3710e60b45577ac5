"""A kernel's life as jupyter_client sees it: start, cells, interrupts, restart,
shutdown, and nothing left behind.

The kernel is the one installed as PARAGOPHER_KERNEL; its program is
PARAGOPHER_BINARY.
"""
import os
import signal
import time
import unittest

from jupyter_client.manager import start_new_kernel

BINARY = os.path.realpath(os.environ["PARAGOPHER_BINARY"])
TIMEOUT = 30


def processes():
    """The processes that run the kernel's program."""
    found = []
    for pid in os.listdir("/proc"):
        try:
            if pid.isdigit() and os.readlink(f"/proc/{pid}/exe") == BINARY:
                found.append(int(pid))
        except OSError:
            pass  # ended meanwhile
    return found


class Lifecycle(unittest.TestCase):
    def setUp(self):
        self.km, self.kc = start_new_kernel(kernel_name=os.environ["PARAGOPHER_KERNEL"], startup_timeout=TIMEOUT)

    def tearDown(self):
        self.kc.stop_channels()
        if self.km.is_alive():
            self.km.shutdown_kernel()
        deadline = time.monotonic() + 10
        while processes() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(processes(), [], "processes left")
        self.assertFalse(os.path.exists(self.km.connection_file), "connection file left")

    def run_cell(self, code):
        """Runs a cell; gives the reply's content and the text it put out."""
        out = []

        def hook(msg):
            content = msg["content"]
            if msg["msg_type"] == "stream":
                out.append(content["text"])
            elif msg["msg_type"] == "execute_result":
                out.append(content["data"]["text/plain"])

        reply = self.kc.execute_interactive(code, output_hook=hook, timeout=TIMEOUT, allow_stdin=False)
        return reply["content"], "".join(out)

    def start_cell(self, code):
        """Starts a cell and waits until it has said 'go'."""
        msg_id = self.kc.execute(code)
        while True:
            msg = self.kc.get_iopub_msg(timeout=TIMEOUT)
            if msg["parent_header"].get("msg_id") != msg_id:
                continue
            if msg["msg_type"] == "stream" and "go" in msg["content"]["text"]:
                return msg_id

    def finish_cell(self, msg_id):
        while True:
            reply = self.kc.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"]["msg_id"] == msg_id:
                break
        while True:
            msg = self.kc.get_iopub_msg(timeout=TIMEOUT)
            if msg["parent_header"].get("msg_id") == msg_id and msg["content"].get("execution_state") == "idle":
                return reply["content"]

    def test_state_is_kept(self):
        reply, _ = self.run_cell("x := 41")
        self.assertEqual((reply["status"], reply["execution_count"]), ("ok", 1))
        reply, out = self.run_cell("x + 1")
        self.assertEqual((reply["status"], out), ("ok", "42"))
        self.assertTrue(self.kc.hb_channel.is_beating())

    def test_many_lines_arrive_whole(self):
        reply, out = self.run_cell('import "fmt"\nfor i := 0; i < 100000; i++ {\n\tfmt.Println("line", i)\n}')
        self.assertEqual(reply["status"], "ok")
        self.assertEqual(out, "".join(f"line {i}\n" for i in range(100000)))

    def test_error_is_told(self):
        reply, _ = self.run_cell("undefined1")
        self.assertEqual(reply["status"], "error")
        self.assertTrue(reply["ename"] and reply["evalue"] and reply["traceback"])

    def test_interrupt_keeps_the_state(self):
        self.run_cell('import "fmt"\nx := 41')
        for how in (self.km.interrupt_kernel, lambda: os.killpg(os.getpgid(self.pid()), signal.SIGINT)):
            cell = self.start_cell('fmt.Println("go")\nfor {}')
            how()
            self.assertEqual(self.finish_cell(cell)["status"], "error")
            reply, out = self.run_cell("x + 1")
            self.assertEqual((reply["status"], out), ("ok", "42"))

    def test_queue_is_aborted_after_an_error(self):
        ids = [self.kc.execute(code) for code in ('panic("no")', "1", "2")]
        status = {}
        while len(status) < len(ids):
            reply = self.kc.get_shell_msg(timeout=TIMEOUT)
            status[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
        self.assertEqual([status[i] for i in ids], ["error", "aborted", "aborted"])

    def test_restart_forgets(self):
        self.run_cell("x := 1")
        self.km.restart_kernel()
        self.kc.wait_for_ready(timeout=TIMEOUT)
        reply, _ = self.run_cell("x")
        self.assertEqual(reply["status"], "error")

    def test_shutdown_while_a_cell_runs(self):
        self.start_cell('import "fmt"\nfmt.Println("go")\nfor {}')
        self.km.shutdown_kernel()

    def test_killed_kernel_leaves_nothing(self):
        self.start_cell('import "fmt"\nfmt.Println("go")\nfor {}')
        os.kill(self.pid(), signal.SIGKILL)
        # tearDown looks for what is left; the manager only has to see the death.
        self.km.shutdown_kernel(now=True)

    def pid(self):
        return self.km.provisioner.pid


if __name__ == "__main__":
    unittest.main(verbosity=2)
