// Reads the archives whose paths come on standard input with the readers of Java, and prints what each sees of them.
// One line for a reader and an archive: reader TAB path TAB either "!" and an error, or entries "hex of name=SHA-256;".

import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Collections;
import java.util.HexFormat;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

public class Readers {
    interface Reader {
        String see(String path) throws Exception;
    }

    static String entry(String name, InputStream content) throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(content.readAllBytes());
        HexFormat hex = HexFormat.of();
        return hex.formatHex(name.getBytes(StandardCharsets.UTF_8)) + "=" + hex.formatHex(digest) + ";";
    }

    static String jarFile(String path) throws Exception {
        StringBuilder seen = new StringBuilder();
        try (JarFile file = new JarFile(new File(path), false)) {
            for (JarEntry entry : Collections.list(file.entries())) {
                try (InputStream content = file.getInputStream(entry)) {
                    seen.append(entry(entry.getName(), content));
                }
            }
        }
        return seen.toString();
    }

    static String zipInputStream(String path) throws Exception {
        StringBuilder seen = new StringBuilder();
        try (ZipInputStream stream = new ZipInputStream(new FileInputStream(path))) {
            for (ZipEntry entry = stream.getNextEntry(); entry != null; entry = stream.getNextEntry()) {
                seen.append(entry(entry.getName(), stream));
            }
        }
        return seen.toString();
    }

    static void print(PrintStream out, String name, String path, Reader reader) {
        String seen;
        try {
            seen = reader.see(path);
        } catch (Exception | Error error) {
            seen = "!" + String.valueOf(error).replaceAll("\\s+", " ");
        }
        out.println(name + "\t" + path + "\t" + seen);
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String path = in.readLine(); path != null; path = in.readLine()) {
            print(out, "JarFile", path, Readers::jarFile);
            print(out, "ZipInputStream", path, Readers::zipInputStream);
        }
        out.flush();
    }
}
