"""One side of a comparison: a process that answers questions, a line of JSON each, and measures only when asked.

Sides live side by side and are asked in turn, so that what the machine does meanwhile meets all of them alike.
"""
import json
import os
import subprocess
import time


class NotRun(Exception):
    """A side cannot do what it was asked; the text says why."""


class Side:
    def __init__(self, name, command, environment=None):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(environment or {})})
        self.about = self.ask(do="hello")

    def ask(self, **question):
        """The answer; NotRun with the side's own words when it says that it cannot, or when it ended."""
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise NotRun("the process of %s ended, %s" % (self.name, "status %s" % self.process.wait()))
        answer = json.loads(line)
        if "error" in answer:
            raise NotRun(answer["error"])
        return answer

    def rate(self, **question):
        """A measurement as rates, after a rest in which spinning threads of the other sides fall asleep."""
        time.sleep(0.1)
        told = self.ask(**question)
        return {"wall": told["units"] / told["wall_s"], "cpu": told["units"] / max(told["cpu_s"], 1e-9), "others": told["others"]}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def answer_all(answers):
    """The loop of a side: `answers` maps each question's `do` to a function of the rest of the question."""
    import sys

    # What libraries print must not get between the answers.
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = answers[question.pop("do")](**question)
        except Exception as error:  # noqa: BLE001: whatever it is, the driver prints it as the reason
            answer = {"error": "%s: %s" % (type(error).__name__, str(error).partition("\n")[0])}
        output.write(json.dumps(answer) + "\n")
        output.flush()


def processor_seconds():
    """Of this process, and of everything on the machine (user, nice, system, irq, softirq, steal)."""
    with open("/proc/stat") as stat:
        fields = [int(field) for field in stat.readline().split()[1:]]
    busy = sum(fields[at] for at in (0, 1, 2, 5, 6, 7))
    return time.process_time(), busy / os.sysconf("SC_CLK_TCK")


def repeat(seconds, units, unit, work, warm=2):
    """Repeats `work`, which does so many units, for so many seconds."""
    for _ in range(warm):
        work()
    own, machine = processor_seconds()
    began, done, wall = time.perf_counter(), 0, 0.0
    while wall < seconds:
        work()
        done += units
        wall = time.perf_counter() - began
    own_after, machine_after = processor_seconds()
    own, machine = own_after - own, machine_after - machine
    return {"units": done, "unit": unit, "wall_s": wall, "cpu_s": own, "others": max(0.0, (machine - own) / wall)}


def peak_memory():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return {"peak_mib": int(line.split()[1]) / 1024}
