#!/usr/bin/python3
"""What of systemctl a deployment uses, for a machine without systemd: services are processes of this one. It stands first in
PATH, and keeps what it knows in $STAND_IN. Units are read as far as they must be: who runs what, with which variables."""

import os
import pathlib
import pwd
import shlex
import signal
import subprocess
import sys
import time

KNOWN = pathlib.Path(os.environ["STAND_IN"])
FOLDERS = [pathlib.Path("/etc/systemd/system"), pathlib.Path("/lib/systemd/system")]


def settings_of(unit):
    """{name: [value, …]} of the unit and what is dropped in beside it; an empty value forgets what came before."""
    files = [folder / unit for folder in FOLDERS if (folder / unit).exists()][:1]
    files += sorted(path for folder in FOLDERS for path in folder.glob(f"{unit}.d/*.conf"))
    found = {}
    for file in files:
        for line in file.read_text().replace("\\\n", " ").splitlines():
            name, _, value = line.partition("=")
            if line[:1] in "#;[" or not _:
                continue
            found[name.strip()] = [*found.get(name.strip(), []), value.strip()] if value.strip() else []
    return found


def variables_of(settings):
    variables = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
    for line in settings.get("Environment", []):
        variables.update(each.split("=", 1) for each in shlex.split(line))
    for name in settings.get("EnvironmentFile", []):
        path = pathlib.Path(name.lstrip("-"))
        if path.exists():
            variables.update(each.split("=", 1) for each in shlex.split(path.read_text(), comments=True))
    return variables


def words_of(line, variables):
    """As systemd has it: $A alone is several words, ${A} and $A within a word is one."""
    words = []
    for word in shlex.split(line.lstrip("-+!@:")):
        if word.startswith("$") and not word.startswith("${"):
            words += shlex.split(variables.get(word[1:], ""))
        else:
            for name, value in variables.items():
                word = word.replace("${%s}" % name, value)
            words.append(word)
    return words


def pid_of(unit):
    """Of the process, while it runs."""
    try:
        pid = int((KNOWN / unit).read_text())
        return pid if pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z" else None
    except (OSError, ValueError):
        return None


def start(unit):
    if pid_of(unit):
        return 0
    settings = settings_of(unit)
    if "ExecStart" not in settings:
        return 5
    variables = variables_of(settings)
    user = settings.get("User", ["root"])[-1]
    account = pwd.getpwnam(user)
    for folder in settings.get("StateDirectory", []):
        path = pathlib.Path("/var/lib", folder)
        path.mkdir(mode=0o700, exist_ok=True)
        os.chown(path, account.pw_uid, account.pw_gid)
    with open(KNOWN / f"{unit}.log", "ab") as log:
        process = subprocess.Popen(words_of(settings["ExecStart"][-1], variables), env={**variables, "HOME": account.pw_dir}, cwd="/",
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, user=account.pw_uid,
                                   group=account.pw_gid, extra_groups=[])
    (KNOWN / unit).write_text(str(process.pid))
    return 0


def stop(unit):
    pid = pid_of(unit)
    if pid:
        os.kill(pid, signal.SIGTERM)
    while pid_of(unit):
        time.sleep(0.02)
    (KNOWN / unit).unlink(missing_ok=True)
    return 0


def reload(unit):
    settings, pid = settings_of(unit), pid_of(unit)
    if not pid:
        return 1
    variables = {**variables_of(settings), "MAINPID": str(pid)}
    for line in settings["ExecReload"]:
        subprocess.run([word.replace("$MAINPID", str(pid)) for word in shlex.split(line.lstrip("-+"))], env=variables, check=True)
    return 0


def show(unit, name):
    print({"NRestarts": "0", "ActiveState": "active" if pid_of(unit) else "inactive", "MainPID": str(pid_of(unit) or 0)}.get(name, ""))
    return 0


def main(words):
    options = {word for word in words if word.startswith("--")}
    words = [word for word in words if not word.startswith("--")]
    verb, units = words[0], words[1:]
    if verb == "show":
        return show(units[-1], units[1])
    if verb == "is-active":
        states = ["active" if pid_of(unit) else "inactive" for unit in units]
        if "--quiet" not in options:
            print("\n".join(states))
        return 0 if "active" in states else 3
    if verb == "is-failed":  # it was started, and has ended by itself
        return 0 if any((KNOWN / unit).exists() and not pid_of(unit) for unit in units) else 1
    do = {"start": start, "stop": stop, "reload": reload, "restart": lambda unit: stop(unit) or start(unit),
          "reload-or-restart": lambda unit: reload(unit) if pid_of(unit) else start(unit)}.get(verb)
    if verb in ("enable", "disable") and "--now" in options:
        do = start if verb == "enable" else stop
    if do is None:
        assert verb in ("enable", "disable", "daemon-reload", "reset-failed"), f"a systemctl that knows no {verb}"
        return 0
    return max((do(unit if "." in unit else unit + ".service") for unit in units), default=0)


sys.exit(main(sys.argv[1:]))
