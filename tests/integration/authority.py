"""A certificate authority of the tests' own."""

import ssl
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        self.folder, self.key, self.certificate = folder, folder / "ca.key", folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=test authority",
                "-days", "2", "-keyout", self.key, "-out", self.certificate)

    def issue(self, name, into=None):
        """(certificate, key) for `name`, in files named after `into`."""
        base = self.folder / (into or name)
        key, request_file, certificate = base.with_suffix(".key"), base.with_suffix(".csr"), base.with_suffix(".pem")
        extensions = base.with_suffix(".ext")
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request_file)
        openssl("x509", "-req", "-in", request_file, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", "2",
                "-extfile", extensions, "-out", certificate)
        return certificate, key

    def trust(self, client=None):
        context = ssl.create_default_context(cafile=str(self.certificate))
        if client:
            context.load_cert_chain(*map(str, client))
        return context
