#!/usr/bin/env python3
"""Installs the store into a temporary prefix and uses it as a stranger would: the example of db/README.md, compiled
against the installed tree alone, by pkg-config and by CMake's find_package, prints what the README says.

  installed_db.py --source DIR --build DIR --cxx COMPILER
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

EXAMPLE_LINES_MAX = 30
CMAKE_PROJECT = """cmake_minimum_required(VERSION 3.25)
project(example LANGUAGES CXX)
find_package(keel-db REQUIRED)
add_executable(example example.cpp)
target_link_libraries(example PRIVATE keel::db)
"""


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nends with {done.returncode}:\n{done.stdout}")
    return done.stdout


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def example_of(readme):
    with open(readme) as file:
        found = re.search(r"```cpp\n(.*?)```\n.*?```\n(.*?)```", file.read(), re.S)
    if found is None:
        sys.exit(f"{readme}: no example with what it prints")
    code, output = found.groups()
    if code.count("\n") > EXAMPLE_LINES_MAX:
        sys.exit(f"{readme}: the example has {code.count(chr(10))} lines; {EXAMPLE_LINES_MAX} are enough")
    return code, output


def expect_output(how, program, folder, wanted):
    os.mkdir(folder)
    said = run([program], cwd=folder)
    if said != wanted:
        sys.exit(f"{how}: the example prints\n{said}instead of\n{wanted}")
    print(f"{how}: ok")


def every_header(prefix):
    """Each by itself: what it needs is installed too."""
    root = os.path.join(prefix, "include", "keel")
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), root)


def main():
    arguments = argparse.ArgumentParser()
    for name in ("source", "build", "cxx"):
        arguments.add_argument(f"--{name}", required=True)
    given = arguments.parse_args()
    code, wanted = example_of(os.path.join(given.source, "db", "README.md"))
    with tempfile.TemporaryDirectory(prefix="keel-installed-") as root:
        prefix = os.path.join(root, "prefix")
        run(["cmake", "--install", given.build, "--prefix", prefix, "--component", "db"])
        source = os.path.join(root, "example.cpp")
        write(source, code)
        environment = dict(os.environ, PKG_CONFIG_PATH=os.path.join(prefix, "lib", "pkgconfig"))
        flags = run(["pkg-config", "--cflags", "--libs", "keel-db"], env=environment).split()

        program = os.path.join(root, "by_pkg_config")
        run([given.cxx, "-std=c++23", source, "-o", program] + flags)
        expect_output("pkg-config", program, os.path.join(root, "run1"), wanted)

        project = os.path.join(root, "project")
        os.mkdir(project)
        write(os.path.join(project, "example.cpp"), code)
        write(os.path.join(project, "CMakeLists.txt"), CMAKE_PROJECT)
        run(["cmake", "-S", project, "-B", os.path.join(project, "build"), f"-DCMAKE_PREFIX_PATH={prefix}",
             f"-DCMAKE_CXX_COMPILER={given.cxx}"])
        run(["cmake", "--build", os.path.join(project, "build")])
        expect_output("find_package", os.path.join(project, "build", "example"), os.path.join(root, "run2"), wanted)

        headers = list(every_header(prefix))
        including = os.path.join(root, "headers.cpp")
        # Backwards: none leans on one that was included before it.
        write(including, "".join(f'#include "{header}"\n' for header in reversed(headers)))
        run([given.cxx, "-std=c++23", "-Wall", "-Wextra", "-fsyntax-only", including] + flags)
        print(f"{len(headers)} headers: ok")


if __name__ == "__main__":
    main()
