"""EPA eGRID files from a bucket into the store: five stages of the command egrid.

Each task is one call of the command. Its answer is one line of JSON on standard
output; what is large (the list of files, what was found in them, the plan) is kept as
an object in the bucket, and only its address and SHA-256 go from task to task. The
plan is streamed in at most 64 shares, however many chunks it has.

The command takes its settings from the worker's environment: EGRID_STORE,
EGRID_QUEUE, EGRID_S3_ENDPOINT, EGRID_S3_ACCESS_KEY, EGRID_S3_SECRET_KEY. See
README.md beside this folder.
"""

import collections
import datetime
import json
import logging
import os
import re
import subprocess
import threading

from airflow.sdk import DAG, BaseSensorOperator, Param, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

COMMAND = os.environ.get("EGRID_COMMAND", "egrid")
RETRY_DELAY = datetime.timedelta(seconds=float(os.environ.get("EGRID_AIRFLOW_RETRY_SECONDS", "30")))
TOLD = ["--notify"] if os.environ.get("EGRID_QUEUE") else []  # by the queue of notifications
MOST_SHARES = 64  # far below [core] max_map_length, 1,024

log = logging.getLogger(__name__)


def egrid(*arguments, stdin=None):
    """Runs the command, and returns its answer: the JSON on its standard output.

    Standard error goes to the task's log, and into the exception. Exit status 3, done
    but something was rejected or held, is a success here: the report says what. A
    mistake in the arguments, and files of which none can be read, are not tried again.
    """
    process = subprocess.Popen(
        [COMMAND, *arguments], text=True, encoding="utf-8", errors="replace",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    said = collections.deque(maxlen=20)

    def listen():
        for line in process.stderr:
            said.append(line.rstrip())
            log.info("%s", line.rstrip())

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        if stdin is not None:
            process.stdin.write(stdin)
        process.stdin.close()
        answer = process.stdout.read()
        status = process.wait()
    except BaseException:  # the task is stopped: so is the command
        process.terminate()
        raise
    listener.join()
    reason = "\n".join(said) or f"egrid {arguments[0]} ended with exit status {status}"
    if status == 2:
        raise AirflowFailException(reason)
    if status not in (0, 3):
        if answer.strip():
            raise AirflowFailException(f"egrid {arguments[0]}: no sheet could be read\n{reason}")
        raise AirflowException(reason)
    return json.loads(answer) if answer.strip() else None


class FilesSensor(BaseSensorOperator):
    """Waits until the source has a file that can be loaded.

    A bucket or a folder that is not there is a failure, and nothing to wait for.
    """

    def poke(self, context):
        listed = egrid("scan", "--allow-empty", context["params"]["source"])
        return any(not o.get("left_out") for o in listed["objects"])


def tell_failure(context):
    """Sends a notice of a task that failed for good to the queue of notifications."""
    if not TOLD:
        return
    ti = context["task_instance"]
    index = "" if ti.map_index is None or ti.map_index < 0 else f"[{ti.map_index}]"
    egrid(
        "notify", f"{ti.dag_id}: {ti.task_id}{index} failed", "--kind", "run_failed", "--run-id", str(context["run_id"]),
        "--text", "-", stdin=f"Attempt {ti.try_number}: {context.get('exception')}",
    )


def kept(params, run_id, name):
    """Is the option that keeps an answer in the bucket, in a folder of the run."""
    folder = re.sub(r"[^A-Za-z0-9._-]", "-", run_id)
    return "--out", f"{params['answers'].rstrip('/')}/{folder}/{name}"


def asked(params, *names):
    """Is the options that the run was asked for."""
    return [word for name in names if params[name] is not None for word in (f"--{name}", str(params[name]))]


with DAG(
    dag_id="egrid_etl",
    description="EPA eGRID files from a bucket into the store",
    doc_md=__doc__,
    schedule="@daily",
    start_date=datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    max_active_runs=1,
    tags=["egrid"],
    params={
        "source": Param("s3://egrid/", type="string", minLength=1, description="File, folder or s3://BUCKET/PREFIX."),
        "year": Param(None, type=["null", "integer"], minimum=1990, description="Data year, where the files do not tell."),
        "release": Param(None, type=["null", "string"], description="Release, as v2 or rev1; none for the unmarked one. Default: from the file name."),
        "publish": Param("auto", enum=["auto", "replace", "merge", "hold"], description="What to do where other data are published already."),
        "shares": Param(16, type="integer", minimum=1, maximum=MOST_SHARES, description="Tasks that stream, at most."),
        "answers": Param(
            os.environ.get("EGRID_AIRFLOW_ANSWERS", "s3://egrid/.airflow"), type="string", minLength=1,
            description="Where the answers of the stages are kept while a run goes on. A name that begins with a dot is no source.",
        ),
    },
    default_args={
        "retries": 3,
        "retry_delay": RETRY_DELAY,
        "retry_exponential_backoff": True,
        "max_retry_delay": datetime.timedelta(minutes=15),
        "on_failure_callback": tell_failure,
    },
):

    found = FilesSensor(task_id="wait_for_csv_files", mode="reschedule", poke_interval=60, timeout=24 * 60 * 60)

    @task
    def scan_csv_files(params=None, run_id=None):
        """Lists what there is to load."""
        return egrid("scan", params["source"], *kept(params, run_id, "scanned.json"))

    @task
    def validate_csv_files(scanned, params=None, run_id=None):
        """Finds out what each file is, and checks all rows."""
        return egrid("validate", "--in", json.dumps(scanned), *asked(params, "year", "release"), *kept(params, run_id, "validated.json"))

    @task
    def divide_files_for_parallel_processing(validated, params=None, run_id=None):
        """Cuts the files into chunks: the plan. Returns the shares to stream."""
        plan = egrid("divide", "--in", json.dumps(validated), *kept(params, run_id, "plan.json"))
        shares = max(1, min(params["shares"], MOST_SHARES, plan.get("chunks", 0)))
        return [{"plan": plan, "part": f"{i}/{shares}"} for i in range(1, shares + 1)]

    @task(max_active_tis_per_dagrun=8)
    def stream_and_queue_csv_data(share):
        """Decodes the chunks of a share, and sends them to the consumers."""
        return egrid("stream", "--in", json.dumps(share["plan"]), "--part", share["part"])

    @task
    def cleanup_and_report(scanned, validated, shares, streamed, params=None):
        """Publishes or holds what was streamed, tells people, and removes the answers."""
        remove = [word for answer in (scanned, validated, shares[0]["plan"]) for word in ("--remove", json.dumps(answer))]
        report = egrid(
            "report", "--in", "-", "--publish", params["publish"], *TOLD, *remove,
            stdin="\n".join(json.dumps(answer) for answer in streamed),
        )
        return {key: report[key] for key in ("run_id", "status", "rows_read", "rows_loaded", "rows_rejected", "rejects_file")}

    scanned = scan_csv_files()
    validated = validate_csv_files(scanned)
    shares = divide_files_for_parallel_processing(validated)
    streamed = stream_and_queue_csv_data.expand(share=shares)
    found >> scanned
    cleanup_and_report(scanned, validated, shares, streamed)
