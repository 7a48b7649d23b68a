"""Tasks: `nox -l` lists them, `nox -s test` runs one. `.ci/run` needs none of this."""

import nox

nox.options.sessions = ["lint", "types", "test"]
nox.options.reuse_existing_virtualenvs = True
PROJECT = nox.project.load_toml("pyproject.toml")


def _install(session: nox.Session, *groups: str) -> None:
    needs = nox.project.dependency_groups(PROJECT, *groups) if groups else ()
    session.install("-e", ".[test]", *needs)


@nox.session(python=["3.11", "3.12", "3.13"])
def test(session: nox.Session) -> None:
    """The tests; words after -- go to pytest."""
    _install(session)
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and layout."""
    _install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict."""
    _install(session, "lint")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """The site, in site/; a warning is an error."""
    _install(session, "docs")
    session.run("python", "-m", "sphinx", "-W", "--keep-going", "-c", "docs", ".", "site")


@nox.session
def regenerate(session: nox.Session) -> None:
    """Write the JSON Schemas, and what is made in README, examples and docs, anew."""
    _install(session)
    rewrite = {"DISTILLPLAN_REWRITE_SCHEMAS": "1"}
    session.run("python", "-m", "pytest", "-q", "tests/test_schemas.py", env=rewrite)
    session.run("python", "-m", "tests.documentation")


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks."""
    _install(session)
    session.run("python", "-m", "pytest", "-n", "0", "tests/benchmarks", "--benchmark-enable")


@nox.session
def fuzz(session: nox.Session) -> None:
    """A million inputs, an hour on two cores; words after -- go to the fuzzer."""
    _install(session)
    session.run("python", "-m", "tests.fuzz", *(session.posargs or ("--inputs", "1000000")))


@nox.session
def explore(session: nox.Session) -> None:
    """The tests with other examples than those of every run; words after -- go to pytest."""
    _install(session)
    session.run("python", "-m", "pytest", "--hypothesis-profile", "others", *session.posargs)


@nox.session
def exhaustive(session: nox.Session) -> None:
    """Every command on every stream, and signals at hundreds of moments; ten minutes."""
    _install(session)
    session.run("python", "-m", "pytest", "-m", "exhaustive")


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """The tests with the lowest versions that pyproject.toml allows."""
    pins = session.run("python3", ".ci/lowest.py", silent=True, external=True).split()
    session.install("-e", ".", *pins)
    session.run("python", "-m", "pytest", "--ignore", "tests/test_docs.py", *session.posargs)
