"""Holds egrid inventory beside a merge in pandas: the same sites, CSV in to CSV out.

    python merge.py EGRID STORE FACTORS.csv [SITES]

EGRID is the program, STORE its store with subregions, FACTORS.csv what
`egrid rows SRL --output FACTORS.csv` wrote of it. Both answer for SITES sites
(1,000,000), each a subregion and kilowatt-hours, on one processor; they take turns,
five each, and the medians of their times are compared. The emissions of both have to
agree to a gram.
"""

import csv
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

MERGE = """
import sys, pandas as pd
sites = pd.read_csv(sys.argv[1])
f = pd.read_csv(sys.argv[2], usecols=["subregion", "net_generation_mwh", "co2_short_tons", "ch4_lb", "n2o_lb", "co2e_short_tons"])
for gas, kg in (("co2", 907.18474), ("ch4", 0.45359237), ("n2o", 0.45359237), ("co2e", 907.18474)):
    column = gas + ("_lb" if gas in ("ch4", "n2o") else "_short_tons")
    f["rate_" + gas] = f[column] * kg / f["net_generation_mwh"]
out = sites.merge(f[["subregion", "rate_co2", "rate_ch4", "rate_n2o", "rate_co2e"]], on="subregion", how="left")
for gas in ("co2", "ch4", "n2o", "co2e"):
    out[gas + "_kg"] = (out["kwh"] / 1000 * out.pop("rate_" + gas)).round(3)
out.to_csv(sys.argv[3], index=False)
"""


def main(program, store, factors, n=1_000_000):
    with open(factors, newline="") as f:
        codes = [row["subregion"] for row in csv.DictReader(f)]
    with tempfile.TemporaryDirectory() as folder:
        sites, ours, theirs = (os.path.join(folder, name) for name in ("sites.csv", "ours.csv", "theirs.csv"))
        rng = random.Random(1)
        with open(sites, "w", newline="") as f:
            f.write("site,subregion,kwh\n")
            for i in range(int(n)):
                f.write(f"Site {i},{rng.choice(codes)},{rng.randrange(1, 10**7)}\n")
        one = dict(os.environ, GOMAXPROCS="1", OMP_NUM_THREADS="1")
        times, cpu = {"egrid": [], "pandas": []}, {"egrid": [], "pandas": []}
        for _ in range(5):
            for name, command in (
                ("egrid", [program, "inventory", sites, "--store", store, "--output", ours]),
                ("pandas", [sys.executable, "-c", MERGE, sites, factors, theirs]),
            ):
                before, used = time.monotonic(), os.times()
                subprocess.run(command, check=True, env=one, stderr=subprocess.DEVNULL)
                now = os.times()
                times[name].append(time.monotonic() - before)
                cpu[name].append(now.children_user + now.children_system - used.children_user - used.children_system)
        worst = compare(ours, theirs)
        for name in times:
            seconds, processor = statistics.median(times[name]), statistics.median(cpu[name])
            print(f"{name}: {seconds:.2f} s, {processor:.2f} s of processor, {int(n) / processor:,.0f} rows per processor second")
        print(f"pandas takes {statistics.median(times['pandas']) / statistics.median(times['egrid']):.2f} times as long, "
              f"{statistics.median(cpu['pandas']) / statistics.median(cpu['egrid']):.2f} times the processor time; {worst} kg apart at most")


def compare(ours, theirs):
    worst = 0.0
    with open(ours, newline="") as a, open(theirs, newline="") as b:
        for x, y in zip(csv.DictReader(a), csv.DictReader(b), strict=True):
            for gas in ("co2_kg", "ch4_kg", "n2o_kg", "co2e_kg"):
                worst = max(worst, abs(float(x[gas]) - float(y[gas])))
    if worst > 0.0011:
        sys.exit(f"the emissions of a site are {worst} kg apart")
    return round(worst, 6)


if __name__ == "__main__":
    main(*sys.argv[1:])
