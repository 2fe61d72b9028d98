"""Runs the DAG of examples/airflow on a real Airflow, beside real servers.

check.py ROOT WORK: ROOT is this repository, WORK a folder with bin/egrid and
bin/consumer. The servers are named by EGRID_TEST_POSTGRES, EGRID_TEST_AMQP and
EGRID_TEST_S3. It prints a line for each step, with its time.
"""

import contextlib
import http.server
import json
import os
import pathlib
import resource
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse

ROOT, WORK = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
DAG = ROOT / "examples/airflow/dags/egrid_etl.py"
ROWS = 12000
BUCKET = "airflow"

# The second share fails once, as when the network is away for a moment.
COMMAND = """#!/bin/sh
case " $* " in
*" --part 2/"*)
  if [ ! -e "$0.failed" ]; then
    : >"$0.failed"
    echo "the network is away" >&2
    exit 1
  fi
  ;;
esac
exec "$(dirname "$0")/bin/egrid" "$@"
"""


def environment():
    s3 = urllib.parse.urlsplit(os.environ["EGRID_TEST_S3"])
    env = {k: v for k, v in os.environ.items() if not k.startswith(("EGRID_", "AIRFLOW_", "XDG_"))}
    env.update(
        EGRID_STORE=os.environ["EGRID_TEST_POSTGRES"], EGRID_QUEUE=os.environ["EGRID_TEST_AMQP"],
        EGRID_S3_ENDPOINT=f"{s3.scheme}://{s3.hostname}:{s3.port}", EGRID_S3_ACCESS_KEY=s3.username, EGRID_S3_SECRET_KEY=s3.password,
        EGRID_BUCKET=BUCKET, EGRID_CHUNK_BYTES="300", EGRID_COMMAND=str(WORK / "egrid"), EGRID_AIRFLOW_RETRY_SECONDS="1",
        EGRID_AIRFLOW_ANSWERS=f"s3://{BUCKET}/.airflow", XDG_DATA_HOME=str(WORK / "data"),
        AIRFLOW_HOME=str(WORK / "home"), AIRFLOW__CORE__DAGS_FOLDER=str(DAG.parent), AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="False", PYTHONDONTWRITEBYTECODE="1",
        PATH=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
    )
    return env


ENV = environment()


def run(*command, status=0):
    """Runs a command, and returns what it printed; all that it said, where it ended otherwise than wanted."""
    done = subprocess.run(command, env=ENV, cwd=WORK, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != status:
        sys.exit(f"{command}: exit status {done.returncode}; want {status}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def egrid(*arguments):
    return run(str(WORK / "bin/egrid"), *arguments)


@contextlib.contextmanager
def step(what):
    began, used = time.monotonic(), processor()
    yield
    print(f"{what}: {time.monotonic() - began:.1f} s, of a processor {processor() - used:.1f} s", flush=True)


def processor():
    """Is the seconds that commands which ended have computed: other work on the machine does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def want(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: {got!r}; want {wanted!r}")


def eventually(what, condition):
    until = time.monotonic() + 60
    while not (found := condition()):
        if time.monotonic() > until:
            sys.exit(f"{what} did not come about within a minute")
        time.sleep(0.05)
    return found


class Webhook(http.server.BaseHTTPRequestHandler):
    """Takes what the consumer of notifications posts."""

    notices = []

    def do_POST(self):
        self.notices.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def consumer(kind, *arguments):
    with open(WORK / f"{kind}.log", "w") as out:
        process = subprocess.Popen([WORK / "bin/consumer", kind, *arguments], env=ENV, cwd=WORK, stdout=out, stderr=out)
        try:
            yield
            want(f"consumer {kind}", process.poll(), None)
        finally:
            process.terminate()
            process.wait()


class Database:
    """Airflow's own, as the run left it."""

    def __init__(self):
        self.db = sqlite3.connect(f"file:{WORK / 'home/airflow.db'}?mode=ro", uri=True)
        self.run = self.db.execute("select run_id from dag_run order by id desc limit 1").fetchone()[0]

    def tasks(self):
        return self.db.execute("select task_id, map_index, state, try_number from task_instance where run_id = ?", [self.run]).fetchall()

    def answers(self, task):
        values = self.db.execute("select value from xcom where run_id = ? and task_id = ? and key = 'return_value'", [self.run, task]).fetchall()
        return [json.loads(v) if isinstance(v, str) else v for v, in values]

    def largest_answer(self):
        return self.db.execute("select max(length(value)) from xcom where run_id = ?", [self.run]).fetchone()[0]


def dag_test(status=0, **params):
    run(sys.executable, "-m", "airflow", "dags", "test", "egrid_etl", "--conf", json.dumps(params), status=status)
    return Database()


def generate():
    """Writes generators whose sum is known: the n-th has 1.25 n MWh."""
    folder = WORK / "files"
    folder.mkdir()
    with open(folder / "GEN23.csv", "w") as f:
        f.write("YEAR,PSTATABB,PNAME,ORISPL,GENID,NAMEPCAP,GENNTAN\n")
        for n in range(1, ROWS + 1):
            f.write(f"2023,TX,Plant {n // 3},{n // 3 + 1},G{n},{n % 7 + 1}.5,{n * 1.25:.2f}\n")
    return folder


def sums():
    return json.loads(egrid("groups", "GEN", "--year", "2023", "--measures", "count,sum(net_generation_mwh)", "--format", "json"))


def main():
    (WORK / "egrid").write_text(COMMAND)
    (WORK / "egrid").chmod(0o755)
    with step("the DAG imports without a warning"):
        run(sys.executable, "-W", "error", str(DAG))
    with step("airflow db migrate, egrid migrate, bucket"):
        run(sys.executable, "-m", "airflow", "db", "migrate")
        egrid("migrate")
        run(str(ROOT / "examples/reference/seed.sh"), str(generate()))

    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    with consumer("database"), consumer("notification", "--webhook", f"http://127.0.0.1:{hook.server_port}/"):
        source = f"s3://{BUCKET}/"
        with step("airflow dags test: a new file"):
            db = dag_test(source=source, shares=64)
        shares = db.answers("divide_files_for_parallel_processing")[0]
        chunks = shares[0]["plan"]["chunks"]
        print(f"{chunks} chunks in {len(shares)} shares; the largest answer between tasks has {db.largest_answer()} bytes", flush=True)
        if chunks <= 1024:
            sys.exit(f"the file has only {chunks} chunks")
        want("shares", len(shares), 64)
        want("tasks that did not succeed", [t for t in db.tasks() if t[2] != "success"], [])
        want("tasks that were tried again", [t for t in db.tasks() if t[3] != 1], [("stream_and_queue_csv_data", 1, "success", 2)])
        report = db.answers("cleanup_and_report")[0]
        want("report", [report[k] for k in ("status", "rows_read", "rows_loaded", "rows_rejected")], ["published", ROWS, ROWS, 0])
        want("sums in the store", sums(), [{"rows": ROWS, "net_generation_mwh": 1.25 * ROWS * (ROWS + 1) / 2}])
        want("answers left in the bucket", json.loads(egrid("scan", "--allow-empty", f"{source}.airflow/"))["objects"], [])
        eventually("the notice of the load", lambda: [n for n in Webhook.notices if n["kind"] == "run_finished"])

        with step("airflow dags test: the same again, in other shares"):
            db = dag_test(source=source, shares=2)
        report = db.answers("cleanup_and_report")[0]
        want("report of the second run", [report[k] for k in ("status", "rows_read", "rows_loaded")], ["unchanged", ROWS, 0])

        with step("airflow dags test: a bucket that is not there"):
            db = dag_test(source="s3://no-such-bucket/", status=1)
        states = dict((t[0], t[2:]) for t in db.tasks())
        want("the sensor", states["wait_for_csv_files"], ("failed", 4))
        want("the report", states["cleanup_and_report"][0], "upstream_failed")
        with step("its notice"):
            notice = eventually("the notice of the failure", lambda: [n for n in Webhook.notices if n["kind"] == "run_failed"])[0]
        want("title", notice["title"], "egrid_etl: wait_for_csv_files failed")
        if "no-such-bucket" not in notice["text"] or notice["run_id"] != db.run:
            sys.exit(f"the notice tells {notice}")
        want("notices", len(Webhook.notices), 2)
    print("the DAG does what examples/airflow/README.md says")


main()
