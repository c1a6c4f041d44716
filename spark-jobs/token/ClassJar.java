package offstream;

import java.io.File;
import java.io.FileOutputStream;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.codehaus.commons.compiler.util.resource.MapResourceCreator;
import org.codehaus.janino.ClassLoaderIClassLoader;
import org.codehaus.janino.Compiler;

/** Compiles a file of Java and writes its classes to a jar. Janino runs this program from its source. */
public class ClassJar {
    /** The arguments: the file, and the jar. */
    public static void main(String[] args) throws Exception {
        Map classes = new HashMap();
        Compiler compiler = new Compiler();
        compiler.setIClassLoader(new ClassLoaderIClassLoader(ClassJar.class.getClassLoader()));
        compiler.setClassFileCreator(new MapResourceCreator(classes));
        compiler.compile(new File[] {new File(args[0])});
        JarOutputStream jar = new JarOutputStream(new FileOutputStream(args[1]));
        try {
            for (Iterator entries = classes.entrySet().iterator(); entries.hasNext(); ) {
                Map.Entry entry = (Map.Entry) entries.next();
                jar.putNextEntry(new JarEntry((String) entry.getKey()));
                jar.write((byte[]) entry.getValue());
            }
        } finally {
            jar.close();
        }
    }
}
