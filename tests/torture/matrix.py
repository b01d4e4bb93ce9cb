"""Gathers what the torture's tests say of their counts into one table.

    keel_torture_tests | matrix.py [FILE]

Passes everything on as it comes; at its end prints the table (and writes it to FILE) with the sums
of what was lost and wrong. Exit code 1 if a test failed or anything was.
"""

import sys

FAILURES = ("LOST", "WRONG", "REFUSED", "UNCLEAR")


def main() -> int:
    rows = {}  # (scenario, unit) -> (cases, outcome -> number)
    failed = False
    for line in sys.stdin:
        sys.stdout.write(line)
        sys.stdout.flush()
        failed |= line.startswith("[  FAILED  ]")
        if not line.startswith("matrix | "):
            continue
        scenario, taken, outcomes = [cell.strip() for cell in line.split(" | ")[1:]]
        count, unit = taken.split(" ", 1)
        if unit == "calls":  # the ways in which a call ends are one row
            scenario = scenario.rpartition(", ")[0]
        cases, sums = rows.get((scenario, unit), (0, {}))
        for outcome in filter(None, outcomes.split(", ")):
            name, _, number = outcome.rpartition(" ")
            sums[name] = sums.get(name, 0) + int(number)
        rows[scenario, unit] = (cases + int(count), sums)
    lost = {name: sum(sums.get(name, 0) for _, sums in rows.values()) for name in FAILURES}
    table = ["| scenario | cases | what came of them |", "|---|---|---|"]
    for (scenario, unit), (cases, sums) in rows.items():
        outcomes = ", ".join(f"{name} {number}" for name, number in sorted(sums.items()))
        table.append(f"| {scenario} | {cases} {unit} | {outcomes} |")
    everything = sum(cases for cases, _ in rows.values())
    table.append(f"| all | {everything} | " + ", ".join(f"{k} {n}" for k, n in lost.items()) + " |")
    text = "\n".join(table) + "\n"
    print(text, end="")
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w", encoding="utf-8") as out:
            out.write(text)
    return 1 if failed or any(lost.values()) or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
