"""``make bench``: measures, prints the tables, keeps the figures, and draws if asked to."""

import sys

from bench.session_check.errors import Unavailable, WrongAnswer
from bench.session_check.folders import ROOT
from bench.session_check.installs import find_program
from bench.session_check.options import read_options
from bench.session_check.progress import end_line
from bench.session_check.publication import publish
from bench.session_check.run import run


def main() -> None:
    options = read_options()
    try:
        find_program("wrk")
        report = run(options)
    except (Unavailable, WrongAnswer) as error:
        end_line()
        sys.exit(f"bench: {error}")
    end_line()
    sys.stdout.write(report.text())
    kept = [report.keep(), *(publish(report) if options.publishes else [])]
    names = ", ".join(str(file.relative_to(ROOT)) for file in kept)
    sys.stdout.write(f"\nkept in {names}\n")


if __name__ == "__main__":
    main()
