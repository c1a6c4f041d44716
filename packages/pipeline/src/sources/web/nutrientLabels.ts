/**
 * The labels of nutrients in all languages of Open Food Facts: names and synonyms, each in the language of its pages.
 *
 * Source: `taxonomies/nutrients.txt` of openfoodfacts/openfoodfacts-server at commit 00130b06, read 2026-11-26.
 * Licence: Open Database License (ODbL) 1.0, © Open Food Facts contributors. No label belongs to two of these nutrients.
 */
const written = {
  energy: `
    Energy, energie, አቅም, enerchía, الطاقه, طاقة, শক্তি, enerji, Энергия, энергія, Енергийна стойност,
    energiezh, energija, energia, Energetická hodnota, Využitelná energie, Энерги, egni, Energi,
    Fysiologisk brændværdi, Physiologischer Brennwert, Ενέργεια, energio, Energía, Valor Energético,
    Kalorsus, انرژی, Énergie, valeurs énergétique, valeur énergétique, Fuinneamh, lùth, enerxía, bree,
    Makamashi, אנרגיה - קלוריות, ऊर्जा, enèji, Էներգիա, orka, エネルギー, 熱量, ენერგია, ಶಕ್ತಿ, 에너지, wize,
    molungé, Energinė vertė, Enerģētiskā vērtība, enerģija, angôvo, енергија, ഊർജ്ജം, tenaga, Enerġija,
    စွမ်းအင်, ernæringsverdi, ଶକ୍ତି, ਉਰਜਾ, Wartość energetyczna, energia alimentar, micha,
    Valoarea energetică, Energetska vrednost, Энергетическая ценность, ශක්තිය, Energijska vrednost,
    simba, awood, energjia, nishati, ஆற்றல், శక్తి, พลังงาน, enerhiya, energiýa, Matimba, ئېنېرگىيە,
    енергія, توانائی, energiya, năng lượng, kàttan, ענערגיע, 能量
  `,
  fat: `
    Fat, Total fat, Lipids, fats, Vet, sradeɛ, Graixa, الدهون, دهن, Lik'i, Мазнини, Мазнина,
    স্নেহ পদার্থ, Druzoni, greix, Tuky, tuk, Braster, Fedt, Fedtstof, fed, Fett, Λιπαρά, λίπος, λιπαρός,
    graso, Grasas, Materias grasas, gordo, grasa, Rasvad, koipe, چربی, Rasvat, Rasva, Matières grasses,
    Lipides, Matière grasse, Graisses, Graisse, MG, Saill, ચરબી, שומנים, שומן, वसा, Masti, Kò gra, Zsír,
    zsírok, Lemak, Grassi, grasso, 脂質, 脂肪, Gajih, ცხიმი, Май, ಕೊಬ್ಬು, 지방, Pingue, Vèt, Riebalai, Tauki,
    масти, കൊഴുപ്പ്, चरबी, Xaħmijiet, xaħam, Vetten, feitt, Tłuszcz, Gorduras/lípidos, Gorduras, Gordura,
    Lípidos, Wira, Grăsimi, Grăsime, Жиры, چرٻي, Mast, මේදය, Maščobe, maščoba, Mafuta, Dux, Yndyra, fet,
    கொழுப்பு, ไขมัน, Yağ, Жири, شحم, chất béo
  `,
  saturatedFat: `
    Saturated fat, Saturated fatty acids, saturated, دهن مشبع, Наситени мастни киселини,
    àcid gras saturat, Nasycené mastné kyseliny, Mættede fedtsyrer, gesättigte Fettsäuren, Mættet fedt,
    ފެޓް, Κορεσμένα λιπαρά, Saturita graso, Grasas saturadas, Ácidos grasos saturados, AGS, Saturados,
    Saturadas, Küllastunud rasvhapped, gantz-azido ase, چربی اشباع, Tyydyttyneet rasvat,
    Tyydyttynyt rasvahappo, Acides gras saturés, Saturés, matières grasses saturées, MGS,
    graisses saturées, sáSitheáin saill, שומן רווי, Zasićene masne, Telített zsírsavak, Lemak jenuh,
    Mettuð fita, Acidi Grassi saturi, 飽和脂肪, ಪರ್ಯಾಪ್ತ ಕೊಬ್ಬಿನ ಆಮ್ಲ, 포화 지방산, Sočiosios riebalų rūgštys,
    Piesātinātās taukskābe, заситени масти, Lemak tepu, Saturati xaħmijiet, Mettet fett,
    Verzadigde vetzuren, metta feitt, Kwasy tłuszczowe nasycone, tłuszcz nasycony,
    Gorduras/lípidos/ácidos gordos saturados, Gordura saturada, Ácidos gordos saturados,
    Lípidos saturados, dos quais saturados, Gorduras saturadas, Acizi grași saturați,
    Zasićene masne kiseline, Насыщенные жиры, Zasićena mast, Nasýtené mastné kyseliny, Nasičene maščobe,
    Mättat fett, நிறைவுற்ற கொழுப்பு, సంతృప్త కొవ్వు ఆమ్లం, กรดไขมันอิ่มตัว, Насичені жирні кислоти,
    Crås seur bôré, 饱和脂肪
  `,
  carbohydrates: `
    Carbohydrates, carbohydrate, الكاربوهايدريد, Въглехидрати, Hidrats de carboni, Glúcids, Carbohidrats,
    Sacharidy, Kulhydrat, Kohlenhydrate, Υδατάνθρακες, Hidratos de carbono, Glúcidos, Carbohidratos,
    Süsivesikud, کربوهیدرات ها, Hiilihydraatit, hiilihydraatti, Glucides, Carbaihiodráit, פחמימות,
    Ugljikohidrati, Szénhidrát, Karbohidrat, Carboidrati, 炭水化物, Angliavandeniai, Ogļhidrāti, Karboidrati,
    Karbohydrat, Koolhydraten, Węglowodany, Carboidratos, Glicídios, Glícidos, Glucídios, Glúcides,
    Glucide, Ugljeni hidrati, Углеводы, Ogljikove hidrate, Kolhydrat, Karbonhidratlar, 碳水化合物
  `,
  sugars: `
    Sugars, Sugar, Suikers, ስኳር, Zucre, السكر, سكر, চেনী, Şəkər, Шәкәр, Цукар, Захари, Захар, चीनी, চিনি,
    Sukr, Šećer, Sucre, Sucres, Шекар, Cukry, Cukr, Сахăр, Siwgr, Sukkerarter, Sockerarter, Sukker,
    Zucker, Σάκχαρα, Ζάχαρη, Sukero, Azúcares, azucar, Suhkrud, Azukre, شکر, Sokerit, sokeri, sûker,
    Siúcraí, Siúcra, Siùcar, Azucre, Eiratã, סוכר, शर्करा, Šećeri, Sik, Cukrok, Cukor, Շաքար, Sucro,
    Gula, Ńnú odẹne, Avu, Matarsykur, Zuccheri, zucchero, ᓱᑲᒃ, 糖類, შაქარი, Қант, ಸಕ್ಕರೆ, 설탕, Şekir, Кант,
    Saccharum, Sókker, Sukáli, Cukrūs, Cukuri, Шеќер, പഞ്ചസാര, Элсэн чихэр, Zokkor, သကြား, चिनी, suiker,
    Áshįįh łikan, ଚିନି, ਸ਼ੱਕਰ, Cukier, بوره, Açúcares, Asukar, Zaharuri, Zahăr, Сахара, Сахар, Isukari,
    کنڊ, සීනි, Sladkorjev, Sladkor, Shuga, Sonkor, Sheqeri, Шећер, Socker, Sukari, சீனி, చక్కెర, Қанд,
    น้ำตาล, Asukal, Şeker, Шикәр, شېكەر, Цукор, شکّر, Qand, Đường, Souke, 糖
  `,
  fiber: `
    Fiber, Dietary fiber, fibers, dietary fibers, fibers aoac, fibre, fibres, fibres aoac, Влакнини,
    Vláknina, Kostfibre, Ballaststoffe, Εδώδιμες ίνες, Fibra alimentaria, Fibras alimentarias, Fibras,
    Fibra, fibras alimenticias, fibra alimenticia, Kiudained, Ravintokuidut, Ravintokuitu, Kuitu, Kuidut,
    Fibres alimentaires, fibre alimentaire, fibres alimentaires totales, Snáithín, סיבים תזונתיים,
    vlakna, prehrambena vlakna, Rost, Serat Pangan, Fibra alimentare, 食物繊維, Skaidulinių medžiagų,
    Šķiedrvielas, Fibra alimentari, Kostfiber, Vezels, Błonnik, Fibra alimentar, Пищевые волокна,
    Prehranskih vlaknin, 膳食纤维, 膳食纖維, 纖維
  `,
  proteins: `
    Proteins, Protein, proteïen, Proteína, البروتين, بروتين, প্ৰ'টিন, Zülallar, Аҡһымдар, бялкі, Белтъци,
    белтъчини, প্রোটিন, Bjelančevine, proteïna, Bílkoviny, bílkovina, Шуррисем, Protin, Eiweiß, ޕްރޮޓީން,
    Πρωτεΐνες, Πρωτεΐνη, proteino, Proteínas, Valgud, proteina, ﭘﺮﻭﺗﺌین, Proteiinit, Proteiini,
    Protéines, Protéine, proteïne, Próitéin, પ્રોટિન, Proteen, חלבונים, प्रोटीन, Bjelančevina, Proteyin,
    Fehérje, Fehérjék, սպիտակուց, Prótín, Proteine, たんぱく質, 蛋白質, タンパク質, ცილები, Ақуыз, ಪ್ರೋಟೀನ್, 단백질,
    Proteîn, Белок, proteinum, ປະໂລເຕອິນ, Baltymai, Olbaltumvielas, белковина, മാംസ്യം, Уураг, प्रथिने,
    Proteini, ပရိုတိန်း, प्रोटिन, Eiwitten, eiwit, Pirootiinii, ପୁଷ୍ଟିସାର, ਪ੍ਰੋਟੀਨ, Białko, białka,
    Prutina, proteină, Белки, پروٽين, Bielkoviny, Bielkovina, Beljakovine, Beljakovina, Borotiin,
    proteinë, протеин, Protéin, Protini, புரதம், మాంసకృత్తులు, Протеинҳо дар реҷаи ғизо, โปรตีน, Protina,
    аксым, білок, لحمیات, Proteinlar, Proteyene, פראטעין, 蛋白质
  `,
  salt: `
    Salt, table salt, common salt, cooking salt, dry salt, tafelsout, Sout, Sal, sal de cocina,
    ملح الطعام, ЦӀам, Jayu, Duz, Xörək duzu, Аш тоҙо, Павараная соль, Сол, трапезна сол, লবণ, ཚྭ།, Holen,
    So, Sal comuna, sal de cuina, Sůl, Halen, Husholdningssalt, køkkensalt, bordsalt, Salz, Speisesalz,
    Kochsalz, Tafelsalz, Αλάτι, Salo, Komuna salo, sal común, sal de mesa, Sool, Söögisool, keedusool,
    Gatz arrunt, mahaiko gatza, نمک, Suola, Ruokasuola, Sel, Sel alimentaire, sel de table,
    sel de cuisine, sel sec, sel comestible, Salann, Juky, મીઠું, מלח, साधारण नमक, sol, kuhinjska sol,
    Só, Konyhasó, Garam, Ńnú, Manjebla salo, Borðsalt, matarsalt, Sale, Cloruro di sodio, sale da cucina,
    食塩相当量, 塩, Uyah, სუფრის მარილი, Ас тұзы, ಉಪ್ಪು, 소금, Xwê, Druska, Sāls, ഉപ്പ്, Хоолны давс, मीठ, Melħ,
    ဆား, नून, Zout, Keukenzout, Áshįįh, Sal alimentària, ଲୁଣ, ਲੂਣ, Sól, Sól kuchenna, مالگه,
    Sal de cozinha, sal de cosina, sal de taula, Sal comum, Sare, Sare de bucătărie, Поваренная соль,
    Umunyu, लवणम्, لوڻ, ලුණු, Soľ, Munyu, Milix, Cusbo, Kripa, Со, உப்பு, ఉప్పు, Намак, เกลือ, Asin,
    Yemek tuzu, تۇز, Кухонна сіль, Muối ăn, Sé d' coujhene, Ityiwa, זאלץ, Iyọ̀, 食盐
  `,
  sodium: `
    Sodium, natrium, ሶዲየም, Sodio, الصوديوم, صوديوم, натрый, Натрий, সোডিয়াম, བུལ་རྫས།, Sodiom, natrij,
    sodi, Sodiu, Sodík, Натри, Sodiwm, ސޯޑިއަމް, Νάτριο, natrio, Naatrium, سدیم, Sóidiam, Sòidium,
    સોડિયમ, Sodjum, נתרן, सोडियम, natrijev, Sodyòm, Nátrium, նատրիում, natro, natrín, ナトリウム, ნატრიუმი,
    សូដ្យូម, ಸೋಡಿಯಮ್, 나트륨, Natriyûm, Sodu, Natris, Nātrijs, konutai, натриум, സോഡിയം, Sodju, ဆိုဒီယမ်,
    Soodin, Sòdi, ସୋଡ଼ିଅମ, ਸੋਡੀਅਮ, Sód, Sódio, Na+, Na, Natriyu, සෝඩියම්, Saadiyom, Natriumi, натријум,
    Natiri, சோடியம், సోడియమ్, โซเดียม, Sodyo, Sodyum, ناترىي, натрій, صوداصر, Natriy, natri, נאטריום,
    Sodiomu, 钠, 鈉
  `,
} as const

/** A nutrient that a row of the nutrition table can show. */
export type LabelledNutrient = keyof typeof written | 'energyKcal' | 'energyKj'

const labelsOf = (list: string): readonly string[] => list.split(/\s*,\s*/).map(label => label.trim())

const energy = labelsOf(written.energy)

/** The labels of each nutrient, as they are written on pages. The labels of single units are those of energy with the unit. */
export const nutrientLabels: Readonly<Record<LabelledNutrient, readonly string[]>> = {
  energyKcal: ['kcal', 'kilocalories', ...energy.map(label => `${label} (kcal)`)],
  energy,
  energyKj: energy.map(label => `${label} (kJ)`),
  fat: labelsOf(written.fat),
  saturatedFat: labelsOf(written.saturatedFat),
  carbohydrates: labelsOf(written.carbohydrates),
  sugars: labelsOf(written.sugars),
  fiber: labelsOf(written.fiber),
  proteins: labelsOf(written.proteins),
  salt: labelsOf(written.salt),
  sodium: labelsOf(written.sodium),
}
